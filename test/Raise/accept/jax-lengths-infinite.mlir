// Lengths of keys by where and -inf, in layout [batch, length, heads, dim], behind a reshape through one dimension.
//
// ARGS: normal normal normal lengths<7>
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}bias({{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d4)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d1, d4)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2, d3) -> ()>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0) -> (d0)>
#map6 = affine_map<(d0, d1) -> (0, d1)>
#map7 = affine_map<(d0, d1) -> (d0, d1)>
#map8 = affine_map<(d0, d1) -> (d0, 0)>
#map9 = affine_map<(d0, d1, d2, d3, d4) -> (d1, 0, 0, d4)>
#map10 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map11 = affine_map<(d0, d1, d2, d3, d4) -> ()>
#map12 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map13 = affine_map<(d0, d1, d2) -> ()>
#map14 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map15 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map16 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d1, d2)>
#map17 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
#map18 = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
module {
  func.func @main(%arg0: tensor<2x5x2x4xf32>, %arg1: tensor<2x7x2x4xf32>, %arg2: tensor<2x7x2x4xf32>, %arg3: tensor<2xi32>) -> (tensor<2x5x2x4xf32>) {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 0.000000e+00 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<5.000000e-01> : tensor<f32>
    %0 = tensor.empty() : tensor<2x2x5x7xf32>
    %1 = linalg.fill ins(%cst_0 : f32) outs(%0 : tensor<2x2x5x7xf32>) -> tensor<2x2x5x7xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %arg1 : tensor<2x5x2x4xf32>, tensor<2x7x2x4xf32>) outs(%1 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %34 = arith.mulf %in, %in_8 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<2x2x5x7xf32>
    %3 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_2 : tensor<f32>) outs(%0 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x2x5x7xf32>
    %4 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%2, %3 : tensor<2x2x5x7xf32>, tensor<2x2x5x7xf32>) outs(%0 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %34 = arith.mulf %in, %in_8 : f32
      linalg.yield %34 : f32
    } -> tensor<2x2x5x7xf32>
    %5 = tensor.empty() : tensor<7xi32>
    %6 = linalg.generic {indexing_maps = [#map5], iterator_types = ["parallel"]} outs(%5 : tensor<7xi32>) {
    ^bb0(%out: i32):
      %34 = linalg.index 0 : index
      %35 = arith.index_cast %34 : index to i32
      linalg.yield %35 : i32
    } -> tensor<7xi32>
    %expanded = tensor.expand_shape %arg3 [[0, 1]] output_shape [2, 1] : tensor<2xi32> into tensor<2x1xi32>
    %expanded_3 = tensor.expand_shape %6 [[0, 1]] output_shape [1, 7] : tensor<7xi32> into tensor<1x7xi32>
    %7 = tensor.empty() : tensor<2x7xi32>
    %8 = linalg.generic {indexing_maps = [#map6, #map7], iterator_types = ["parallel", "parallel"]} ins(%expanded_3 : tensor<1x7xi32>) outs(%7 : tensor<2x7xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
    } -> tensor<2x7xi32>
    %9 = linalg.generic {indexing_maps = [#map8, #map7], iterator_types = ["parallel", "parallel"]} ins(%expanded : tensor<2x1xi32>) outs(%7 : tensor<2x7xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
    } -> tensor<2x7xi32>
    %10 = tensor.empty() : tensor<2x7xi1>
    %11 = linalg.generic {indexing_maps = [#map7, #map7, #map7], iterator_types = ["parallel", "parallel"]} ins(%8, %9 : tensor<2x7xi32>, tensor<2x7xi32>) outs(%10 : tensor<2x7xi1>) {
    ^bb0(%in: i32, %in_8: i32, %out: i1):
      %34 = arith.cmpi slt, %in, %in_8 : i32
      linalg.yield %34 : i1
    } -> tensor<2x7xi1>
    %expanded_4 = tensor.expand_shape %11 [[0], [1, 2, 3]] output_shape [2, 1, 1, 7] : tensor<2x7xi1> into tensor<2x1x1x7xi1>
    %12 = tensor.empty() : tensor<1x2x2x5x7xi1>
    %13 = linalg.generic {indexing_maps = [#map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_4 : tensor<2x1x1x7xi1>) outs(%12 : tensor<1x2x2x5x7xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<1x2x2x5x7xi1>
    %expanded_5 = tensor.expand_shape %4 [[0, 1], [2], [3], [4]] output_shape [1, 2, 2, 5, 7] : tensor<2x2x5x7xf32> into tensor<1x2x2x5x7xf32>
    %14 = tensor.empty() : tensor<1x2x2x5x7xf32>
    %15 = linalg.generic {indexing_maps = [#map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%cst_1 : tensor<f32>) outs(%14 : tensor<1x2x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x2x5x7xf32>
    %16 = linalg.generic {indexing_maps = [#map10, #map10, #map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%13, %expanded_5, %15 : tensor<1x2x2x5x7xi1>, tensor<1x2x2x5x7xf32>, tensor<1x2x2x5x7xf32>) outs(%14 : tensor<1x2x2x5x7xf32>) {
    ^bb0(%in: i1, %in_8: f32, %in_9: f32, %out: f32):
      %34 = arith.select %in, %in_8, %in_9 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x2x5x7xf32>
    %collapsed = tensor.collapse_shape %16 [[0, 1], [2], [3], [4]] : tensor<1x2x2x5x7xf32> into tensor<2x2x5x7xf32>
    %17 = tensor.empty() : tensor<2x2x5xf32>
    %18 = linalg.fill ins(%cst : f32) outs(%17 : tensor<2x2x5xf32>) -> tensor<2x2x5xf32>
    %19 = linalg.generic {indexing_maps = [#map4, #map12], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed : tensor<2x2x5x7xf32>) outs(%18 : tensor<2x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.maximumf %out, %in : f32
      linalg.yield %34 : f32
    } -> tensor<2x2x5xf32>
    %20 = linalg.generic {indexing_maps = [#map13, #map14], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_1 : tensor<f32>) outs(%17 : tensor<2x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x2x5xf32>
    %21 = linalg.generic {indexing_maps = [#map14, #map14, #map14], iterator_types = ["parallel", "parallel", "parallel"]} ins(%20, %19 : tensor<2x2x5xf32>, tensor<2x2x5xf32>) outs(%17 : tensor<2x2x5xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %34 = arith.maximumf %in, %in_8 : f32
      linalg.yield %34 : f32
    } -> tensor<2x2x5xf32>
    %expanded_6 = tensor.expand_shape %21 [[0], [1], [2, 3]] output_shape [2, 2, 5, 1] : tensor<2x2x5xf32> into tensor<2x2x5x1xf32>
    %22 = linalg.generic {indexing_maps = [#map15, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_6 : tensor<2x2x5x1xf32>) outs(%0 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x2x5x7xf32>
    %23 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed, %22 : tensor<2x2x5x7xf32>, tensor<2x2x5x7xf32>) outs(%0 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %34 = arith.subf %in, %in_8 : f32
      linalg.yield %34 : f32
    } -> tensor<2x2x5x7xf32>
    %24 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%23 : tensor<2x2x5x7xf32>) outs(%0 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = math.exp %in : f32
      linalg.yield %34 : f32
    } -> tensor<2x2x5x7xf32>
    %25 = linalg.fill ins(%cst_0 : f32) outs(%17 : tensor<2x2x5xf32>) -> tensor<2x2x5xf32>
    %26 = linalg.generic {indexing_maps = [#map4, #map12], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%24 : tensor<2x2x5x7xf32>) outs(%25 : tensor<2x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.addf %out, %in : f32
      linalg.yield %34 : f32
    } -> tensor<2x2x5xf32>
    %expanded_7 = tensor.expand_shape %26 [[0], [1], [2, 3]] output_shape [2, 2, 5, 1] : tensor<2x2x5xf32> into tensor<2x2x5x1xf32>
    %27 = linalg.generic {indexing_maps = [#map15, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_7 : tensor<2x2x5x1xf32>) outs(%0 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x2x5x7xf32>
    %28 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%24, %27 : tensor<2x2x5x7xf32>, tensor<2x2x5x7xf32>) outs(%0 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %34 = arith.divf %in, %in_8 : f32
      linalg.yield %34 : f32
    } -> tensor<2x2x5x7xf32>
    %29 = tensor.empty() : tensor<2x2x4x5xf32>
    %30 = linalg.fill ins(%cst_0 : f32) outs(%29 : tensor<2x2x4x5xf32>) -> tensor<2x2x4x5xf32>
    %31 = linalg.generic {indexing_maps = [#map16, #map17, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%arg2, %28 : tensor<2x7x2x4xf32>, tensor<2x2x5x7xf32>) outs(%30 : tensor<2x2x4x5xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %34 = arith.mulf %in, %in_8 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<2x2x4x5xf32>
    %32 = tensor.empty() : tensor<2x5x2x4xf32>
    %33 = linalg.generic {indexing_maps = [#map18, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%31 : tensor<2x2x4x5xf32>) outs(%32 : tensor<2x5x2x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x5x2x4xf32>
    return %33 : tensor<2x5x2x4xf32>
  }
}

