// Talking heads: heads mixed before the softmax.
//
// ARGS: normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: keys are the same where values and queries differ (along a batch dimension)
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x7x4xf32>, %arg2: tensor<1x2x7x4xf32>, %arg3: tensor<2x2xf32>) -> tensor<1x2x5x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<1x2x4x7xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<1x2x7x4xf32>) outs(%0 : tensor<1x2x4x7xf32>) permutation = [0, 1, 3, 2]
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2], [3]] : tensor<1x2x5x4xf32> into tensor<2x5x4xf32>
    %collapsed_2 = tensor.collapse_shape %transposed [[0, 1], [2], [3]] : tensor<1x2x4x7xf32> into tensor<2x4x7xf32>
    %1 = tensor.empty() : tensor<2x5x7xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %3 = linalg.batch_matmul ins(%collapsed, %collapsed_2 : tensor<2x5x4xf32>, tensor<2x4x7xf32>) outs(%2 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %expanded = tensor.expand_shape %3 [[0, 1], [2], [3]] output_shape [1, 2, 5, 7] : tensor<2x5x7xf32> into tensor<1x2x5x7xf32>
    %4 = tensor.empty() : tensor<1x2x5x7xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x2x5x7xf32>) outs(%4 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.mulf %in, %cst_1 : f32
      linalg.yield %26 : f32
    } -> tensor<1x2x5x7xf32>
    %expanded_3 = tensor.expand_shape %5 [[0], [1], [2], [3, 4]] output_shape [1, 2, 5, 7, 1] : tensor<1x2x5x7xf32> into tensor<1x2x5x7x1xf32>
    %expanded_4 = tensor.expand_shape %arg3 [[0], [1, 2, 3, 4]] output_shape [2, 2, 1, 1, 1] : tensor<2x2xf32> into tensor<2x2x1x1x1xf32>
    %6 = tensor.empty() : tensor<1x2x2x1x1xf32>
    %transposed_5 = linalg.transpose ins(%expanded_4 : tensor<2x2x1x1x1xf32>) outs(%6 : tensor<1x2x2x1x1xf32>) permutation = [2, 1, 0, 3, 4]
    %collapsed_6 = tensor.collapse_shape %transposed_5 [[0], [1], [2, 3, 4]] : tensor<1x2x2x1x1xf32> into tensor<1x2x2xf32>
    %7 = tensor.empty() : tensor<2x5x7x1x1xf32>
    %transposed_7 = linalg.transpose ins(%expanded_3 : tensor<1x2x5x7x1xf32>) outs(%7 : tensor<2x5x7x1x1xf32>) permutation = [1, 2, 3, 0, 4]
    %collapsed_8 = tensor.collapse_shape %transposed_7 [[0], [1, 2, 3, 4]] : tensor<2x5x7x1x1xf32> into tensor<2x35xf32>
    %expanded_9 = tensor.expand_shape %collapsed_8 [[0, 1], [2]] output_shape [1, 2, 35] : tensor<2x35xf32> into tensor<1x2x35xf32>
    %8 = tensor.empty() : tensor<1x2x35xf32>
    %9 = linalg.fill ins(%cst : f32) outs(%8 : tensor<1x2x35xf32>) -> tensor<1x2x35xf32>
    %10 = linalg.batch_matmul ins(%collapsed_6, %expanded_9 : tensor<1x2x2xf32>, tensor<1x2x35xf32>) outs(%9 : tensor<1x2x35xf32>) -> tensor<1x2x35xf32>
    %expanded_10 = tensor.expand_shape %10 [[0], [1], [2, 3, 4]] output_shape [1, 2, 1, 5, 7] : tensor<1x2x35xf32> into tensor<1x2x1x5x7xf32>
    %11 = tensor.empty() : tensor<1x2x5x7x1xf32>
    %transposed_11 = linalg.transpose ins(%expanded_10 : tensor<1x2x1x5x7xf32>) outs(%11 : tensor<1x2x5x7x1xf32>) permutation = [0, 1, 3, 4, 2]
    %collapsed_12 = tensor.collapse_shape %transposed_11 [[0], [1], [2], [3, 4]] : tensor<1x2x5x7x1xf32> into tensor<1x2x5x7xf32>
    %12 = tensor.empty() : tensor<1x2x5xi64>
    %13 = linalg.fill ins(%c0_i64 : i64) outs(%12 : tensor<1x2x5xi64>) -> tensor<1x2x5xi64>
    %14 = tensor.empty() : tensor<1x2x5xf32>
    %15 = linalg.fill ins(%cst_0 : f32) outs(%14 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %16:2 = linalg.generic {indexing_maps = [#map, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_12 : tensor<1x2x5x7xf32>) outs(%15, %13 : tensor<1x2x5xf32>, tensor<1x2x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_17: i64):
      %26 = linalg.index 3 : index
      %27 = arith.index_cast %26 : index to i64
      %28 = arith.maximumf %in, %out : f32
      %29 = arith.cmpf ogt, %in, %out : f32
      %30 = arith.select %29, %27, %out_17 : i64
      linalg.yield %28, %30 : f32, i64
    } -> (tensor<1x2x5xf32>, tensor<1x2x5xi64>)
    %expanded_13 = tensor.expand_shape %16#0 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %17 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_12, %expanded_13 : tensor<1x2x5x7xf32>, tensor<1x2x5x1xf32>) outs(%4 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %26 = arith.subf %in, %in_17 : f32
      linalg.yield %26 : f32
    } -> tensor<1x2x5x7xf32>
    %18 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%17 : tensor<1x2x5x7xf32>) outs(%4 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = math.exp %in : f32
      linalg.yield %26 : f32
    } -> tensor<1x2x5x7xf32>
    %19 = tensor.empty() : tensor<1x2x5x1xf32>
    %20 = linalg.fill ins(%cst : f32) outs(%19 : tensor<1x2x5x1xf32>) -> tensor<1x2x5x1xf32>
    %21 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%18 : tensor<1x2x5x7xf32>) outs(%20 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.addf %in, %out : f32
      linalg.yield %26 : f32
    } -> tensor<1x2x5x1xf32>
    %22 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%18, %21 : tensor<1x2x5x7xf32>, tensor<1x2x5x1xf32>) outs(%4 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %26 = arith.divf %in, %in_17 : f32
      linalg.yield %26 : f32
    } -> tensor<1x2x5x7xf32>
    %collapsed_14 = tensor.collapse_shape %22 [[0, 1], [2], [3]] : tensor<1x2x5x7xf32> into tensor<2x5x7xf32>
    %collapsed_15 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<1x2x7x4xf32> into tensor<2x7x4xf32>
    %23 = tensor.empty() : tensor<2x5x4xf32>
    %24 = linalg.fill ins(%cst : f32) outs(%23 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %25 = linalg.batch_matmul ins(%collapsed_14, %collapsed_15 : tensor<2x5x7xf32>, tensor<2x7x4xf32>) outs(%24 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %expanded_16 = tensor.expand_shape %25 [[0, 1], [2], [3]] output_shape [1, 2, 5, 4] : tensor<2x5x4xf32> into tensor<1x2x5x4xf32>
    return %expanded_16 : tensor<1x2x5x4xf32>
  }
}
