// Sum over heads.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: weights are divided by a sum of something else, or over another dimension than the second product sums over
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x7x4xf32>, %arg2: tensor<1x2x7x4xf32>) -> tensor<1x2x5x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<1x2x4x7xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<1x2x7x4xf32>) outs(%0 : tensor<1x2x4x7xf32>) permutation = [0, 1, 3, 2]
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2], [3]] : tensor<1x2x5x4xf32> into tensor<2x5x4xf32>
    %collapsed_1 = tensor.collapse_shape %transposed [[0, 1], [2], [3]] : tensor<1x2x4x7xf32> into tensor<2x4x7xf32>
    %1 = tensor.empty() : tensor<2x5x7xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %3 = linalg.batch_matmul ins(%collapsed, %collapsed_1 : tensor<2x5x4xf32>, tensor<2x4x7xf32>) outs(%2 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %expanded = tensor.expand_shape %3 [[0, 1], [2], [3]] output_shape [1, 2, 5, 7] : tensor<2x5x7xf32> into tensor<1x2x5x7xf32>
    %4 = tensor.empty() : tensor<1x2x5x7xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x2x5x7xf32>) outs(%4 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %14 = arith.mulf %in, %cst_0 : f32
      linalg.yield %14 : f32
    } -> tensor<1x2x5x7xf32>
    %6 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%5 : tensor<1x2x5x7xf32>) outs(%4 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %14 = math.exp %in : f32
      linalg.yield %14 : f32
    } -> tensor<1x2x5x7xf32>
    %7 = tensor.empty() : tensor<1x1x5x7xf32>
    %8 = linalg.fill ins(%cst : f32) outs(%7 : tensor<1x1x5x7xf32>) -> tensor<1x1x5x7xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction", "parallel", "parallel"]} ins(%6 : tensor<1x2x5x7xf32>) outs(%8 : tensor<1x1x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %14 = arith.addf %in, %out : f32
      linalg.yield %14 : f32
    } -> tensor<1x1x5x7xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%6, %9 : tensor<1x2x5x7xf32>, tensor<1x1x5x7xf32>) outs(%4 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %14 = arith.divf %in, %in_5 : f32
      linalg.yield %14 : f32
    } -> tensor<1x2x5x7xf32>
    %collapsed_2 = tensor.collapse_shape %10 [[0, 1], [2], [3]] : tensor<1x2x5x7xf32> into tensor<2x5x7xf32>
    %collapsed_3 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<1x2x7x4xf32> into tensor<2x7x4xf32>
    %11 = tensor.empty() : tensor<2x5x4xf32>
    %12 = linalg.fill ins(%cst : f32) outs(%11 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %13 = linalg.batch_matmul ins(%collapsed_2, %collapsed_3 : tensor<2x5x7xf32>, tensor<2x7x4xf32>) outs(%12 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %expanded_4 = tensor.expand_shape %13 [[0, 1], [2], [3]] output_shape [1, 2, 5, 4] : tensor<2x5x4xf32> into tensor<1x2x5x4xf32>
    return %expanded_4 : tensor<1x2x5x4xf32>
  }
}
