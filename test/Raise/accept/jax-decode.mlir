// A decoding step: the new key is written into a cache, later positions are masked.
//
// ARGS: normal normal normal normal normal ids<8>
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<() -> ()>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d4)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d1, d4)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map4 = affine_map<(d0, d1, d2, d3) -> ()>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map6 = affine_map<(d0) -> (d0)>
#map7 = affine_map<(d0) -> ()>
#map8 = affine_map<(d0, d1, d2, d3) -> (d3)>
#map9 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map10 = affine_map<(d0, d1, d2) -> ()>
#map11 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map12 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map13 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d1, d2)>
#map14 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
module {
  func.func @main(%arg0: tensor<1x1x2x4xf32>, %arg1: tensor<1x1x2x4xf32>, %arg2: tensor<1x1x2x4xf32>, %arg3: tensor<1x8x2x4xf32>, %arg4: tensor<1x8x2x4xf32>, %arg5: tensor<i32>) -> (tensor<1x1x2x4xf32>) {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 0.000000e+00 : f32
    %c7 = arith.constant 7 : index
    %c0 = arith.constant 0 : index
    %c8_i32 = arith.constant 8 : i32
    %c0_i32 = arith.constant 0 : i32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<-1.000000e+30> : tensor<f32>
    %cst_3 = arith.constant dense<5.000000e-01> : tensor<f32>
    %0 = tensor.empty() : tensor<i1>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = []} ins(%arg5 : tensor<i32>) outs(%0 : tensor<i1>) {
    ^bb0(%in: i32, %out: i1):
      %37 = arith.cmpi slt, %in, %c0_i32 : i32
      linalg.yield %37 : i1
    } -> tensor<i1>
    %2 = tensor.empty() : tensor<i32>
    %3 = linalg.generic {indexing_maps = [#map, #map], iterator_types = []} ins(%arg5 : tensor<i32>) outs(%2 : tensor<i32>) {
    ^bb0(%in: i32, %out: i32):
      %37 = arith.addi %in, %c8_i32 : i32
      linalg.yield %37 : i32
    } -> tensor<i32>
    %4 = linalg.generic {indexing_maps = [#map, #map, #map, #map], iterator_types = []} ins(%1, %3, %arg5 : tensor<i1>, tensor<i32>, tensor<i32>) outs(%2 : tensor<i32>) {
    ^bb0(%in: i1, %in_7: i32, %in_8: i32, %out: i32):
      %37 = arith.select %in, %in_7, %in_8 : i32
      linalg.yield %37 : i32
    } -> tensor<i32>
    %extracted = tensor.extract %4[] : tensor<i32>
    %5 = arith.index_cast %extracted : i32 to index
    %6 = arith.maxsi %5, %c0 : index
    %7 = arith.minsi %6, %c7 : index
    %inserted_slice = tensor.insert_slice %arg1 into %arg3[0, %7, 0, 0] [1, 1, 2, 4] [1, 1, 1, 1] : tensor<1x1x2x4xf32> into tensor<1x8x2x4xf32>
    %inserted_slice_4 = tensor.insert_slice %arg2 into %arg4[0, %7, 0, 0] [1, 1, 2, 4] [1, 1, 1, 1] : tensor<1x1x2x4xf32> into tensor<1x8x2x4xf32>
    %8 = tensor.empty() : tensor<1x2x1x8xf32>
    %9 = linalg.fill ins(%cst_0 : f32) outs(%8 : tensor<1x2x1x8xf32>) -> tensor<1x2x1x8xf32>
    %10 = linalg.generic {indexing_maps = [#map1, #map2, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %inserted_slice : tensor<1x1x2x4xf32>, tensor<1x8x2x4xf32>) outs(%9 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %37 = arith.mulf %in, %in_7 : f32
      %38 = arith.addf %out, %37 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x1x8xf32>
    %11 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_3 : tensor<f32>) outs(%8 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x1x8xf32>
    %12 = linalg.generic {indexing_maps = [#map5, #map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%10, %11 : tensor<1x2x1x8xf32>, tensor<1x2x1x8xf32>) outs(%8 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %37 = arith.mulf %in, %in_7 : f32
      linalg.yield %37 : f32
    } -> tensor<1x2x1x8xf32>
    %13 = tensor.empty() : tensor<8xi32>
    %14 = linalg.generic {indexing_maps = [#map6], iterator_types = ["parallel"]} outs(%13 : tensor<8xi32>) {
    ^bb0(%out: i32):
      %37 = linalg.index 0 : index
      %38 = arith.index_cast %37 : index to i32
      linalg.yield %38 : i32
    } -> tensor<8xi32>
    %15 = linalg.generic {indexing_maps = [#map7, #map6], iterator_types = ["parallel"]} ins(%arg5 : tensor<i32>) outs(%13 : tensor<8xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
    } -> tensor<8xi32>
    %16 = tensor.empty() : tensor<8xi1>
    %17 = linalg.generic {indexing_maps = [#map6, #map6, #map6], iterator_types = ["parallel"]} ins(%14, %15 : tensor<8xi32>, tensor<8xi32>) outs(%16 : tensor<8xi1>) {
    ^bb0(%in: i32, %in_7: i32, %out: i1):
      %37 = arith.cmpi sle, %in, %in_7 : i32
      linalg.yield %37 : i1
    } -> tensor<8xi1>
    %18 = tensor.empty() : tensor<1x2x1x8xi1>
    %19 = linalg.generic {indexing_maps = [#map8, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%17 : tensor<8xi1>) outs(%18 : tensor<1x2x1x8xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<1x2x1x8xi1>
    %20 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_2 : tensor<f32>) outs(%8 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x1x8xf32>
    %21 = linalg.generic {indexing_maps = [#map5, #map5, #map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%19, %12, %20 : tensor<1x2x1x8xi1>, tensor<1x2x1x8xf32>, tensor<1x2x1x8xf32>) outs(%8 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: i1, %in_7: f32, %in_8: f32, %out: f32):
      %37 = arith.select %in, %in_7, %in_8 : f32
      linalg.yield %37 : f32
    } -> tensor<1x2x1x8xf32>
    %22 = tensor.empty() : tensor<1x2x1xf32>
    %23 = linalg.fill ins(%cst : f32) outs(%22 : tensor<1x2x1xf32>) -> tensor<1x2x1xf32>
    %24 = linalg.generic {indexing_maps = [#map5, #map9], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%21 : tensor<1x2x1x8xf32>) outs(%23 : tensor<1x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %37 = arith.maximumf %out, %in : f32
      linalg.yield %37 : f32
    } -> tensor<1x2x1xf32>
    %25 = linalg.generic {indexing_maps = [#map10, #map11], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_1 : tensor<f32>) outs(%22 : tensor<1x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x1xf32>
    %26 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel"]} ins(%25, %24 : tensor<1x2x1xf32>, tensor<1x2x1xf32>) outs(%22 : tensor<1x2x1xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %37 = arith.maximumf %in, %in_7 : f32
      linalg.yield %37 : f32
    } -> tensor<1x2x1xf32>
    %expanded = tensor.expand_shape %26 [[0], [1], [2, 3]] output_shape [1, 2, 1, 1] : tensor<1x2x1xf32> into tensor<1x2x1x1xf32>
    %27 = linalg.generic {indexing_maps = [#map12, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x2x1x1xf32>) outs(%8 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x1x8xf32>
    %28 = linalg.generic {indexing_maps = [#map5, #map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%21, %27 : tensor<1x2x1x8xf32>, tensor<1x2x1x8xf32>) outs(%8 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %37 = arith.subf %in, %in_7 : f32
      linalg.yield %37 : f32
    } -> tensor<1x2x1x8xf32>
    %29 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%28 : tensor<1x2x1x8xf32>) outs(%8 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %37 = math.exp %in : f32
      linalg.yield %37 : f32
    } -> tensor<1x2x1x8xf32>
    %30 = linalg.fill ins(%cst_0 : f32) outs(%22 : tensor<1x2x1xf32>) -> tensor<1x2x1xf32>
    %31 = linalg.generic {indexing_maps = [#map5, #map9], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%29 : tensor<1x2x1x8xf32>) outs(%30 : tensor<1x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %37 = arith.addf %out, %in : f32
      linalg.yield %37 : f32
    } -> tensor<1x2x1xf32>
    %expanded_5 = tensor.expand_shape %31 [[0], [1], [2, 3]] output_shape [1, 2, 1, 1] : tensor<1x2x1xf32> into tensor<1x2x1x1xf32>
    %32 = linalg.generic {indexing_maps = [#map12, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_5 : tensor<1x2x1x1xf32>) outs(%8 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x1x8xf32>
    %33 = linalg.generic {indexing_maps = [#map5, #map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%29, %32 : tensor<1x2x1x8xf32>, tensor<1x2x1x8xf32>) outs(%8 : tensor<1x2x1x8xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %37 = arith.divf %in, %in_7 : f32
      linalg.yield %37 : f32
    } -> tensor<1x2x1x8xf32>
    %34 = tensor.empty() : tensor<1x2x4x1xf32>
    %35 = linalg.fill ins(%cst_0 : f32) outs(%34 : tensor<1x2x4x1xf32>) -> tensor<1x2x4x1xf32>
    %36 = linalg.generic {indexing_maps = [#map13, #map14, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%inserted_slice_4, %33 : tensor<1x8x2x4xf32>, tensor<1x2x1x8xf32>) outs(%35 : tensor<1x2x4x1xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %37 = arith.mulf %in, %in_7 : f32
      %38 = arith.addf %out, %37 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x4x1xf32>
    %collapsed = tensor.collapse_shape %36 [[0, 1, 2, 3]] : tensor<1x2x4x1xf32> into tensor<8xf32>
    %expanded_6 = tensor.expand_shape %collapsed [[0, 1, 2, 3]] output_shape [1, 1, 2, 4] : tensor<8xf32> into tensor<1x1x2x4xf32>
    return %expanded_6 : tensor<1x1x2x4xf32>
  }
}

