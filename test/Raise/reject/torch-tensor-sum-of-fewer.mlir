// The sum leaves the last of the first keys out.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: weights are divided by a sum of something else, or over another dimension than the second product sums over
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1, d2) -> (d0, 0, 0)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<7x4xf32>, %arg3: tensor<6x3xf32>, %arg4: tensor<7x3xf32>) -> tensor<5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1, 2, 3]] output_shape [5, 4, 1, 1] : tensor<5x4xf32> into tensor<5x4x1x1xf32>
    %0 = tensor.empty() : tensor<5x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<5x4x1x1xf32>) outs(%0 : tensor<5x1x1x4xf32>) permutation = [0, 2, 3, 1]
    %expanded_1 = tensor.expand_shape %arg1 [[0], [1, 2, 3]] output_shape [6, 4, 1, 1] : tensor<6x4xf32> into tensor<6x4x1x1xf32>
    %1 = tensor.empty() : tensor<1x6x1x4xf32>
    %transposed_2 = linalg.transpose ins(%expanded_1 : tensor<6x4x1x1xf32>) outs(%1 : tensor<1x6x1x4xf32>) permutation = [2, 0, 3, 1]
    %expanded_3 = tensor.expand_shape %arg2 [[0], [1, 2, 3]] output_shape [7, 4, 1, 1] : tensor<7x4xf32> into tensor<7x4x1x1xf32>
    %2 = tensor.empty() : tensor<5x6x1x4xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_2 : tensor<5x1x1x4xf32>, tensor<1x6x1x4xf32>) outs(%2 : tensor<5x6x1x4xf32>) {
    ^bb0(%in: f32, %in_26: f32, %out: f32):
      %26 = arith.mulf %in, %in_26 : f32
      linalg.yield %26 : f32
    } -> tensor<5x6x1x4xf32>
    %4 = tensor.empty() : tensor<5x6x4x1xf32>
    %transposed_4 = linalg.transpose ins(%3 : tensor<5x6x1x4xf32>) outs(%4 : tensor<5x6x4x1xf32>) permutation = [0, 1, 3, 2]
    %collapsed = tensor.collapse_shape %transposed_4 [[0, 1], [2, 3]] : tensor<5x6x4x1xf32> into tensor<30x4xf32>
    %expanded_5 = tensor.expand_shape %collapsed [[0, 1], [2]] output_shape [1, 30, 4] : tensor<30x4xf32> into tensor<1x30x4xf32>
    %5 = tensor.empty() : tensor<4x7x1x1xf32>
    %transposed_6 = linalg.transpose ins(%expanded_3 : tensor<7x4x1x1xf32>) outs(%5 : tensor<4x7x1x1xf32>) permutation = [1, 0, 2, 3]
    %collapsed_7 = tensor.collapse_shape %transposed_6 [[0], [1, 2, 3]] : tensor<4x7x1x1xf32> into tensor<4x7xf32>
    %expanded_8 = tensor.expand_shape %collapsed_7 [[0, 1], [2]] output_shape [1, 4, 7] : tensor<4x7xf32> into tensor<1x4x7xf32>
    %6 = tensor.empty() : tensor<1x30x7xf32>
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<1x30x7xf32>) -> tensor<1x30x7xf32>
    %8 = linalg.batch_matmul ins(%expanded_5, %expanded_8 : tensor<1x30x4xf32>, tensor<1x4x7xf32>) outs(%7 : tensor<1x30x7xf32>) -> tensor<1x30x7xf32>
    %collapsed_9 = tensor.collapse_shape %8 [[0, 1], [2]] : tensor<1x30x7xf32> into tensor<30x7xf32>
    %expanded_10 = tensor.expand_shape %collapsed_9 [[0, 1], [2, 3]] output_shape [5, 6, 1, 7] : tensor<30x7xf32> into tensor<5x6x1x7xf32>
    %9 = tensor.empty() : tensor<5x6x7x1xf32>
    %transposed_11 = linalg.transpose ins(%expanded_10 : tensor<5x6x1x7xf32>) outs(%9 : tensor<5x6x7x1xf32>) permutation = [0, 1, 3, 2]
    %collapsed_12 = tensor.collapse_shape %transposed_11 [[0], [1], [2, 3]] : tensor<5x6x7x1xf32> into tensor<5x6x7xf32>
    %10 = tensor.empty() : tensor<5x6x7xf32>
    %11 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_12 : tensor<5x6x7xf32>) outs(%10 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.mulf %in, %cst_0 : f32
      linalg.yield %26 : f32
    } -> tensor<5x6x7xf32>
    %12 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11 : tensor<5x6x7xf32>) outs(%10 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = math.exp %in : f32
      linalg.yield %26 : f32
    } -> tensor<5x6x7xf32>
    %extracted_slice = tensor.extract_slice %12[0, 0, 0] [5, 5, 7] [1, 1, 1] : tensor<5x6x7xf32> to tensor<5x5x7xf32>
    %13 = tensor.empty() : tensor<5x1x1xf32>
    %14 = linalg.fill ins(%cst : f32) outs(%13 : tensor<5x1x1xf32>) -> tensor<5x1x1xf32>
    %15 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "reduction", "reduction"]} ins(%extracted_slice : tensor<5x5x7xf32>) outs(%14 : tensor<5x1x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.addf %in, %out : f32
      linalg.yield %26 : f32
    } -> tensor<5x1x1xf32>
    %16 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%12, %15 : tensor<5x6x7xf32>, tensor<5x1x1xf32>) outs(%10 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %in_26: f32, %out: f32):
      %26 = arith.divf %in, %in_26 : f32
      linalg.yield %26 : f32
    } -> tensor<5x6x7xf32>
    %expanded_13 = tensor.expand_shape %arg3 [[0], [1, 2, 3]] output_shape [6, 3, 1, 1] : tensor<6x3xf32> into tensor<6x3x1x1xf32>
    %17 = tensor.empty() : tensor<1x3x6x1xf32>
    %transposed_14 = linalg.transpose ins(%expanded_13 : tensor<6x3x1x1xf32>) outs(%17 : tensor<1x3x6x1xf32>) permutation = [2, 1, 0, 3]
    %expanded_15 = tensor.expand_shape %arg4 [[0], [1, 2, 3]] output_shape [7, 3, 1, 1] : tensor<7x3xf32> into tensor<7x3x1x1xf32>
    %18 = tensor.empty() : tensor<1x3x1x7xf32>
    %transposed_16 = linalg.transpose ins(%expanded_15 : tensor<7x3x1x1xf32>) outs(%18 : tensor<1x3x1x7xf32>) permutation = [2, 1, 3, 0]
    %19 = tensor.empty() : tensor<1x3x6x7xf32>
    %20 = linalg.generic {indexing_maps = [#map5, #map6, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_14, %transposed_16 : tensor<1x3x6x1xf32>, tensor<1x3x1x7xf32>) outs(%19 : tensor<1x3x6x7xf32>) {
    ^bb0(%in: f32, %in_26: f32, %out: f32):
      %26 = arith.mulf %in, %in_26 : f32
      linalg.yield %26 : f32
    } -> tensor<1x3x6x7xf32>
    %collapsed_17 = tensor.collapse_shape %16 [[0], [1, 2]] : tensor<5x6x7xf32> into tensor<5x42xf32>
    %expanded_18 = tensor.expand_shape %collapsed_17 [[0, 1], [2]] output_shape [1, 5, 42] : tensor<5x42xf32> into tensor<1x5x42xf32>
    %21 = tensor.empty() : tensor<6x7x3x1xf32>
    %transposed_19 = linalg.transpose ins(%20 : tensor<1x3x6x7xf32>) outs(%21 : tensor<6x7x3x1xf32>) permutation = [2, 3, 1, 0]
    %collapsed_20 = tensor.collapse_shape %transposed_19 [[0, 1], [2, 3]] : tensor<6x7x3x1xf32> into tensor<42x3xf32>
    %expanded_21 = tensor.expand_shape %collapsed_20 [[0, 1], [2]] output_shape [1, 42, 3] : tensor<42x3xf32> into tensor<1x42x3xf32>
    %22 = tensor.empty() : tensor<1x5x3xf32>
    %23 = linalg.fill ins(%cst : f32) outs(%22 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %24 = linalg.batch_matmul ins(%expanded_18, %expanded_21 : tensor<1x5x42xf32>, tensor<1x42x3xf32>) outs(%23 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %collapsed_22 = tensor.collapse_shape %24 [[0, 1], [2]] : tensor<1x5x3xf32> into tensor<5x3xf32>
    %expanded_23 = tensor.expand_shape %collapsed_22 [[0], [1, 2, 3]] output_shape [5, 1, 1, 3] : tensor<5x3xf32> into tensor<5x1x1x3xf32>
    %25 = tensor.empty() : tensor<5x3x1x1xf32>
    %transposed_24 = linalg.transpose ins(%expanded_23 : tensor<5x1x1x3xf32>) outs(%25 : tensor<5x3x1x1xf32>) permutation = [0, 3, 1, 2]
    %collapsed_25 = tensor.collapse_shape %transposed_24 [[0], [1, 2, 3]] : tensor<5x3x1x1xf32> into tensor<5x3xf32>
    return %collapsed_25 : tensor<5x3xf32>
  }
}
