// Elementwise products and sums.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
#map4 = affine_map<(d0, d1, d2, d3) -> (0, 0, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map7 = affine_map<(d0, d1) -> (d0, d1)>
#map8 = affine_map<(d0, d1) -> (d0)>
#map9 = affine_map<(d0, d1) -> (d0, 0)>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map11 = affine_map<(d0, d1, d2, d3) -> (0, d1, 0, d3)>
#map12 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#map13 = affine_map<(d0, d1, d2) -> (d0, d2)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<7x4xf32>, %arg3: tensor<6x3xf32>, %arg4: tensor<7x3xf32>) -> tensor<5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1, 2, 3]] output_shape [5, 1, 1, 4] : tensor<5x4xf32> into tensor<5x1x1x4xf32>
    %expanded_2 = tensor.expand_shape %arg1 [[0, 1], [2, 3]] output_shape [1, 6, 1, 4] : tensor<6x4xf32> into tensor<1x6x1x4xf32>
    %0 = tensor.empty() : tensor<5x6x1x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded, %expanded_2 : tensor<5x1x1x4xf32>, tensor<1x6x1x4xf32>) outs(%0 : tensor<5x6x1x4xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %29 = arith.mulf %in, %in_8 : f32
      linalg.yield %29 : f32
    } -> tensor<5x6x1x4xf32>
    %expanded_3 = tensor.expand_shape %arg2 [[0, 1, 2], [3]] output_shape [1, 1, 7, 4] : tensor<7x4xf32> into tensor<1x1x7x4xf32>
    %2 = tensor.empty() : tensor<5x6x7x4xf32>
    %3 = linalg.generic {indexing_maps = [#map3, #map4, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%1, %expanded_3 : tensor<5x6x1x4xf32>, tensor<1x1x7x4xf32>) outs(%2 : tensor<5x6x7x4xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %29 = arith.mulf %in, %in_8 : f32
      linalg.yield %29 : f32
    } -> tensor<5x6x7x4xf32>
    %4 = tensor.empty() : tensor<5x6x7xf32>
    %5 = linalg.fill ins(%cst : f32) outs(%4 : tensor<5x6x7xf32>) -> tensor<5x6x7xf32>
    %6 = linalg.generic {indexing_maps = [#map2, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%3 : tensor<5x6x7x4xf32>) outs(%5 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = arith.addf %in, %out : f32
      linalg.yield %29 : f32
    } -> tensor<5x6x7xf32>
    %7 = linalg.generic {indexing_maps = [#map6, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%6 : tensor<5x6x7xf32>) outs(%4 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = arith.mulf %in, %cst_1 : f32
      linalg.yield %29 : f32
    } -> tensor<5x6x7xf32>
    %collapsed = tensor.collapse_shape %7 [[0], [1, 2]] : tensor<5x6x7xf32> into tensor<5x42xf32>
    %8 = tensor.empty() : tensor<5xi64>
    %9 = linalg.fill ins(%c0_i64 : i64) outs(%8 : tensor<5xi64>) -> tensor<5xi64>
    %10 = tensor.empty() : tensor<5xf32>
    %11 = linalg.fill ins(%cst_0 : f32) outs(%10 : tensor<5xf32>) -> tensor<5xf32>
    %12:2 = linalg.generic {indexing_maps = [#map7, #map8, #map8], iterator_types = ["parallel", "reduction"]} ins(%collapsed : tensor<5x42xf32>) outs(%11, %9 : tensor<5xf32>, tensor<5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_8: i64):
      %29 = linalg.index 1 : index
      %30 = arith.index_cast %29 : index to i64
      %31 = arith.maximumf %in, %out : f32
      %32 = arith.cmpf ogt, %in, %out : f32
      %33 = arith.select %32, %30, %out_8 : i64
      linalg.yield %31, %33 : f32, i64
    } -> (tensor<5xf32>, tensor<5xi64>)
    %expanded_4 = tensor.expand_shape %12#0 [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
    %13 = tensor.empty() : tensor<5x42xf32>
    %14 = linalg.generic {indexing_maps = [#map7, #map9, #map7], iterator_types = ["parallel", "parallel"]} ins(%collapsed, %expanded_4 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%13 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %29 = arith.subf %in, %in_8 : f32
      linalg.yield %29 : f32
    } -> tensor<5x42xf32>
    %15 = linalg.generic {indexing_maps = [#map7, #map7], iterator_types = ["parallel", "parallel"]} ins(%14 : tensor<5x42xf32>) outs(%13 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = math.exp %in : f32
      linalg.yield %29 : f32
    } -> tensor<5x42xf32>
    %16 = tensor.empty() : tensor<5x1xf32>
    %17 = linalg.fill ins(%cst : f32) outs(%16 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %18 = linalg.generic {indexing_maps = [#map7, #map9], iterator_types = ["parallel", "reduction"]} ins(%15 : tensor<5x42xf32>) outs(%17 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = arith.addf %in, %out : f32
      linalg.yield %29 : f32
    } -> tensor<5x1xf32>
    %19 = linalg.generic {indexing_maps = [#map7, #map9, #map7], iterator_types = ["parallel", "parallel"]} ins(%15, %18 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%13 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %29 = arith.divf %in, %in_8 : f32
      linalg.yield %29 : f32
    } -> tensor<5x42xf32>
    %expanded_5 = tensor.expand_shape %19 [[0], [1, 2, 3]] output_shape [5, 6, 7, 1] : tensor<5x42xf32> into tensor<5x6x7x1xf32>
    %expanded_6 = tensor.expand_shape %arg3 [[0, 1], [2, 3]] output_shape [1, 6, 1, 3] : tensor<6x3xf32> into tensor<1x6x1x3xf32>
    %20 = tensor.empty() : tensor<5x6x7x3xf32>
    %21 = linalg.generic {indexing_maps = [#map10, #map11, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_5, %expanded_6 : tensor<5x6x7x1xf32>, tensor<1x6x1x3xf32>) outs(%20 : tensor<5x6x7x3xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %29 = arith.mulf %in, %in_8 : f32
      linalg.yield %29 : f32
    } -> tensor<5x6x7x3xf32>
    %expanded_7 = tensor.expand_shape %arg4 [[0, 1, 2], [3]] output_shape [1, 1, 7, 3] : tensor<7x3xf32> into tensor<1x1x7x3xf32>
    %22 = linalg.generic {indexing_maps = [#map2, #map4, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%21, %expanded_7 : tensor<5x6x7x3xf32>, tensor<1x1x7x3xf32>) outs(%20 : tensor<5x6x7x3xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %29 = arith.mulf %in, %in_8 : f32
      linalg.yield %29 : f32
    } -> tensor<5x6x7x3xf32>
    %23 = tensor.empty() : tensor<5x6x3xf32>
    %24 = linalg.fill ins(%cst : f32) outs(%23 : tensor<5x6x3xf32>) -> tensor<5x6x3xf32>
    %25 = linalg.generic {indexing_maps = [#map2, #map12], iterator_types = ["parallel", "parallel", "reduction", "parallel"]} ins(%22 : tensor<5x6x7x3xf32>) outs(%24 : tensor<5x6x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = arith.addf %in, %out : f32
      linalg.yield %29 : f32
    } -> tensor<5x6x3xf32>
    %26 = tensor.empty() : tensor<5x3xf32>
    %27 = linalg.fill ins(%cst : f32) outs(%26 : tensor<5x3xf32>) -> tensor<5x3xf32>
    %28 = linalg.generic {indexing_maps = [#map6, #map13], iterator_types = ["parallel", "reduction", "parallel"]} ins(%25 : tensor<5x6x3xf32>) outs(%27 : tensor<5x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = arith.addf %in, %out : f32
      linalg.yield %29 : f32
    } -> tensor<5x3xf32>
    return %28 : tensor<5x3xf32>
  }
}
