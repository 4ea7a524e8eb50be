// A learned sink in the denominator.
//
// ARGS: normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: something is added to the sum of weights (an attention sink, softmax plus one, or an epsilon)
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map3 = affine_map<(d0, d1, d2, d3) -> (d1, 0, d3)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x7x4xf32>, %arg2: tensor<1x2x7x4xf32>, %arg3: tensor<2x1x1xf32>) -> tensor<1x2x5x4xf32> {
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
      %17 = arith.mulf %in, %cst_0 : f32
      linalg.yield %17 : f32
    } -> tensor<1x2x5x7xf32>
    %6 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%5 : tensor<1x2x5x7xf32>) outs(%4 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %17 = math.exp %in : f32
      linalg.yield %17 : f32
    } -> tensor<1x2x5x7xf32>
    %7 = tensor.empty() : tensor<2x1x1xf32>
    %8 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg3 : tensor<2x1x1xf32>) outs(%7 : tensor<2x1x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %17 = math.exp %in : f32
      linalg.yield %17 : f32
    } -> tensor<2x1x1xf32>
    %9 = tensor.empty() : tensor<1x2x5x1xf32>
    %10 = linalg.fill ins(%cst : f32) outs(%9 : tensor<1x2x5x1xf32>) -> tensor<1x2x5x1xf32>
    %11 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%6 : tensor<1x2x5x7xf32>) outs(%10 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %17 = arith.addf %in, %out : f32
      linalg.yield %17 : f32
    } -> tensor<1x2x5x1xf32>
    %12 = linalg.generic {indexing_maps = [#map3, #map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%8, %11 : tensor<2x1x1xf32>, tensor<1x2x5x1xf32>) outs(%9 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %17 = arith.addf %in, %in_5 : f32
      linalg.yield %17 : f32
    } -> tensor<1x2x5x1xf32>
    %13 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%6, %12 : tensor<1x2x5x7xf32>, tensor<1x2x5x1xf32>) outs(%4 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %17 = arith.divf %in, %in_5 : f32
      linalg.yield %17 : f32
    } -> tensor<1x2x5x7xf32>
    %collapsed_2 = tensor.collapse_shape %13 [[0, 1], [2], [3]] : tensor<1x2x5x7xf32> into tensor<2x5x7xf32>
    %collapsed_3 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<1x2x7x4xf32> into tensor<2x7x4xf32>
    %14 = tensor.empty() : tensor<2x5x4xf32>
    %15 = linalg.fill ins(%cst : f32) outs(%14 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %16 = linalg.batch_matmul ins(%collapsed_2, %collapsed_3 : tensor<2x5x7xf32>, tensor<2x7x4xf32>) outs(%15 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %expanded_4 = tensor.expand_shape %16 [[0, 1], [2], [3]] output_shape [1, 2, 5, 4] : tensor<2x5x4xf32> into tensor<1x2x5x4xf32>
    return %expanded_4 : tensor<1x2x5x4xf32>
  }
}
