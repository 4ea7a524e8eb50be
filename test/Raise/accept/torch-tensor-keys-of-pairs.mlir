// Keys of their own for every pair, summed up with products of values: ordinary attention to pairs.
//
// ARGS: normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1) -> (d0, d1)>
#map2 = affine_map<(d0, d1) -> (d0)>
#map3 = affine_map<(d0, d1) -> (d0, 0)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<6x7x4xf32>, %arg2: tensor<6x3xf32>, %arg3: tensor<7x3xf32>) -> tensor<5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg1 [[0], [1], [2, 3]] output_shape [6, 7, 4, 1] : tensor<6x7x4xf32> into tensor<6x7x4x1xf32>
    %expanded_2 = tensor.expand_shape %arg0 [[0, 1], [2]] output_shape [1, 5, 4] : tensor<5x4xf32> into tensor<1x5x4xf32>
    %0 = tensor.empty() : tensor<4x6x7x1xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<6x7x4x1xf32>) outs(%0 : tensor<4x6x7x1xf32>) permutation = [2, 0, 1, 3]
    %collapsed = tensor.collapse_shape %transposed [[0], [1, 2, 3]] : tensor<4x6x7x1xf32> into tensor<4x42xf32>
    %expanded_3 = tensor.expand_shape %collapsed [[0, 1], [2]] output_shape [1, 4, 42] : tensor<4x42xf32> into tensor<1x4x42xf32>
    %1 = tensor.empty() : tensor<1x5x42xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<1x5x42xf32>) -> tensor<1x5x42xf32>
    %3 = linalg.batch_matmul ins(%expanded_2, %expanded_3 : tensor<1x5x4xf32>, tensor<1x4x42xf32>) outs(%2 : tensor<1x5x42xf32>) -> tensor<1x5x42xf32>
    %collapsed_4 = tensor.collapse_shape %3 [[0, 1], [2]] : tensor<1x5x42xf32> into tensor<5x42xf32>
    %expanded_5 = tensor.expand_shape %collapsed_4 [[0], [1, 2, 3]] output_shape [5, 1, 6, 7] : tensor<5x42xf32> into tensor<5x1x6x7xf32>
    %4 = tensor.empty() : tensor<5x6x7x1xf32>
    %transposed_6 = linalg.transpose ins(%expanded_5 : tensor<5x1x6x7xf32>) outs(%4 : tensor<5x6x7x1xf32>) permutation = [0, 2, 3, 1]
    %collapsed_7 = tensor.collapse_shape %transposed_6 [[0], [1], [2, 3]] : tensor<5x6x7x1xf32> into tensor<5x6x7xf32>
    %5 = tensor.empty() : tensor<5x6x7xf32>
    %6 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_7 : tensor<5x6x7xf32>) outs(%5 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.mulf %in, %cst_1 : f32
      linalg.yield %28 : f32
    } -> tensor<5x6x7xf32>
    %collapsed_8 = tensor.collapse_shape %6 [[0], [1, 2]] : tensor<5x6x7xf32> into tensor<5x42xf32>
    %7 = tensor.empty() : tensor<5xi64>
    %8 = linalg.fill ins(%c0_i64 : i64) outs(%7 : tensor<5xi64>) -> tensor<5xi64>
    %9 = tensor.empty() : tensor<5xf32>
    %10 = linalg.fill ins(%cst_0 : f32) outs(%9 : tensor<5xf32>) -> tensor<5xf32>
    %11:2 = linalg.generic {indexing_maps = [#map1, #map2, #map2], iterator_types = ["parallel", "reduction"]} ins(%collapsed_8 : tensor<5x42xf32>) outs(%10, %8 : tensor<5xf32>, tensor<5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_22: i64):
      %28 = linalg.index 1 : index
      %29 = arith.index_cast %28 : index to i64
      %30 = arith.maximumf %in, %out : f32
      %31 = arith.cmpf ogt, %in, %out : f32
      %32 = arith.select %31, %29, %out_22 : i64
      linalg.yield %30, %32 : f32, i64
    } -> (tensor<5xf32>, tensor<5xi64>)
    %expanded_9 = tensor.expand_shape %11#0 [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
    %12 = tensor.empty() : tensor<5x42xf32>
    %13 = linalg.generic {indexing_maps = [#map1, #map3, #map1], iterator_types = ["parallel", "parallel"]} ins(%collapsed_8, %expanded_9 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%12 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %28 = arith.subf %in, %in_22 : f32
      linalg.yield %28 : f32
    } -> tensor<5x42xf32>
    %14 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%13 : tensor<5x42xf32>) outs(%12 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = math.exp %in : f32
      linalg.yield %28 : f32
    } -> tensor<5x42xf32>
    %15 = tensor.empty() : tensor<5x1xf32>
    %16 = linalg.fill ins(%cst : f32) outs(%15 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %17 = linalg.generic {indexing_maps = [#map1, #map3], iterator_types = ["parallel", "reduction"]} ins(%14 : tensor<5x42xf32>) outs(%16 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.addf %in, %out : f32
      linalg.yield %28 : f32
    } -> tensor<5x1xf32>
    %18 = linalg.generic {indexing_maps = [#map1, #map3, #map1], iterator_types = ["parallel", "parallel"]} ins(%14, %17 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%12 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %28 = arith.divf %in, %in_22 : f32
      linalg.yield %28 : f32
    } -> tensor<5x42xf32>
    %expanded_10 = tensor.expand_shape %arg2 [[0], [1, 2, 3]] output_shape [6, 3, 1, 1] : tensor<6x3xf32> into tensor<6x3x1x1xf32>
    %19 = tensor.empty() : tensor<1x3x6x1xf32>
    %transposed_11 = linalg.transpose ins(%expanded_10 : tensor<6x3x1x1xf32>) outs(%19 : tensor<1x3x6x1xf32>) permutation = [2, 1, 0, 3]
    %expanded_12 = tensor.expand_shape %arg3 [[0], [1, 2, 3]] output_shape [7, 3, 1, 1] : tensor<7x3xf32> into tensor<7x3x1x1xf32>
    %20 = tensor.empty() : tensor<1x3x1x7xf32>
    %transposed_13 = linalg.transpose ins(%expanded_12 : tensor<7x3x1x1xf32>) outs(%20 : tensor<1x3x1x7xf32>) permutation = [2, 1, 3, 0]
    %21 = tensor.empty() : tensor<1x3x6x7xf32>
    %22 = linalg.generic {indexing_maps = [#map4, #map5, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_11, %transposed_13 : tensor<1x3x6x1xf32>, tensor<1x3x1x7xf32>) outs(%21 : tensor<1x3x6x7xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %28 = arith.mulf %in, %in_22 : f32
      linalg.yield %28 : f32
    } -> tensor<1x3x6x7xf32>
    %expanded_14 = tensor.expand_shape %18 [[0, 1], [2]] output_shape [1, 5, 42] : tensor<5x42xf32> into tensor<1x5x42xf32>
    %23 = tensor.empty() : tensor<6x7x3x1xf32>
    %transposed_15 = linalg.transpose ins(%22 : tensor<1x3x6x7xf32>) outs(%23 : tensor<6x7x3x1xf32>) permutation = [2, 3, 1, 0]
    %collapsed_16 = tensor.collapse_shape %transposed_15 [[0, 1], [2, 3]] : tensor<6x7x3x1xf32> into tensor<42x3xf32>
    %expanded_17 = tensor.expand_shape %collapsed_16 [[0, 1], [2]] output_shape [1, 42, 3] : tensor<42x3xf32> into tensor<1x42x3xf32>
    %24 = tensor.empty() : tensor<1x5x3xf32>
    %25 = linalg.fill ins(%cst : f32) outs(%24 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %26 = linalg.batch_matmul ins(%expanded_14, %expanded_17 : tensor<1x5x42xf32>, tensor<1x42x3xf32>) outs(%25 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %collapsed_18 = tensor.collapse_shape %26 [[0, 1], [2]] : tensor<1x5x3xf32> into tensor<5x3xf32>
    %expanded_19 = tensor.expand_shape %collapsed_18 [[0], [1, 2, 3]] output_shape [5, 1, 1, 3] : tensor<5x3xf32> into tensor<5x1x1x3xf32>
    %27 = tensor.empty() : tensor<5x3x1x1xf32>
    %transposed_20 = linalg.transpose ins(%expanded_19 : tensor<5x1x1x3xf32>) outs(%27 : tensor<5x3x1x1xf32>) permutation = [0, 3, 1, 2]
    %collapsed_21 = tensor.collapse_shape %transposed_20 [[0], [1, 2, 3]] : tensor<5x3x1x1xf32> into tensor<5x3xf32>
    return %collapsed_21 : tensor<5x3xf32>
  }
}
