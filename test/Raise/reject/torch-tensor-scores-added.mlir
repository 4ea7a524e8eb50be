// Scores of both sets added instead of multiplied.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: keys or values are repeated over a dimension that is summed
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map1 = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1) -> (d0, d1)>
#map4 = affine_map<(d0, d1) -> (d0)>
#map5 = affine_map<(d0, d1) -> (d0, 0)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map7 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<7x4xf32>, %arg3: tensor<6x3xf32>, %arg4: tensor<7x3xf32>) -> tensor<5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %0 = tensor.empty() : tensor<4x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x4xf32>) outs(%0 : tensor<4x6xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<5x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<5x4xf32>, tensor<4x6xf32>) outs(%2 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %expanded = tensor.expand_shape %3 [[0], [1, 2]] output_shape [5, 6, 1] : tensor<5x6xf32> into tensor<5x6x1xf32>
    %4 = tensor.empty() : tensor<4x7xf32>
    %transposed_1 = linalg.transpose ins(%arg2 : tensor<7x4xf32>) outs(%4 : tensor<4x7xf32>) permutation = [1, 0]
    %5 = tensor.empty() : tensor<5x7xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %7 = linalg.matmul ins(%arg0, %transposed_1 : tensor<5x4xf32>, tensor<4x7xf32>) outs(%6 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %expanded_2 = tensor.expand_shape %7 [[0], [1, 2]] output_shape [5, 1, 7] : tensor<5x7xf32> into tensor<5x1x7xf32>
    %8 = tensor.empty() : tensor<5x6x7xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded, %expanded_2 : tensor<5x6x1xf32>, tensor<5x1x7xf32>) outs(%8 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %in_16: f32, %out: f32):
      %31 = arith.addf %in, %in_16 : f32
      linalg.yield %31 : f32
    } -> tensor<5x6x7xf32>
    %collapsed = tensor.collapse_shape %9 [[0], [1, 2]] : tensor<5x6x7xf32> into tensor<5x42xf32>
    %10 = tensor.empty() : tensor<5xi64>
    %11 = linalg.fill ins(%c0_i64 : i64) outs(%10 : tensor<5xi64>) -> tensor<5xi64>
    %12 = tensor.empty() : tensor<5xf32>
    %13 = linalg.fill ins(%cst_0 : f32) outs(%12 : tensor<5xf32>) -> tensor<5xf32>
    %14:2 = linalg.generic {indexing_maps = [#map3, #map4, #map4], iterator_types = ["parallel", "reduction"]} ins(%collapsed : tensor<5x42xf32>) outs(%13, %11 : tensor<5xf32>, tensor<5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_16: i64):
      %31 = linalg.index 1 : index
      %32 = arith.index_cast %31 : index to i64
      %33 = arith.maximumf %in, %out : f32
      %34 = arith.cmpf ogt, %in, %out : f32
      %35 = arith.select %34, %32, %out_16 : i64
      linalg.yield %33, %35 : f32, i64
    } -> (tensor<5xf32>, tensor<5xi64>)
    %expanded_3 = tensor.expand_shape %14#0 [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
    %15 = tensor.empty() : tensor<5x42xf32>
    %16 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel"]} ins(%collapsed, %expanded_3 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%15 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_16: f32, %out: f32):
      %31 = arith.subf %in, %in_16 : f32
      linalg.yield %31 : f32
    } -> tensor<5x42xf32>
    %17 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%16 : tensor<5x42xf32>) outs(%15 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %31 = math.exp %in : f32
      linalg.yield %31 : f32
    } -> tensor<5x42xf32>
    %18 = tensor.empty() : tensor<5x1xf32>
    %19 = linalg.fill ins(%cst : f32) outs(%18 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %20 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "reduction"]} ins(%17 : tensor<5x42xf32>) outs(%19 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %31 = arith.addf %in, %out : f32
      linalg.yield %31 : f32
    } -> tensor<5x1xf32>
    %21 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel"]} ins(%17, %20 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%15 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_16: f32, %out: f32):
      %31 = arith.divf %in, %in_16 : f32
      linalg.yield %31 : f32
    } -> tensor<5x42xf32>
    %expanded_4 = tensor.expand_shape %arg3 [[0], [1, 2, 3]] output_shape [6, 3, 1, 1] : tensor<6x3xf32> into tensor<6x3x1x1xf32>
    %22 = tensor.empty() : tensor<1x3x6x1xf32>
    %transposed_5 = linalg.transpose ins(%expanded_4 : tensor<6x3x1x1xf32>) outs(%22 : tensor<1x3x6x1xf32>) permutation = [2, 1, 0, 3]
    %expanded_6 = tensor.expand_shape %arg4 [[0], [1, 2, 3]] output_shape [7, 3, 1, 1] : tensor<7x3xf32> into tensor<7x3x1x1xf32>
    %23 = tensor.empty() : tensor<1x3x1x7xf32>
    %transposed_7 = linalg.transpose ins(%expanded_6 : tensor<7x3x1x1xf32>) outs(%23 : tensor<1x3x1x7xf32>) permutation = [2, 1, 3, 0]
    %24 = tensor.empty() : tensor<1x3x6x7xf32>
    %25 = linalg.generic {indexing_maps = [#map6, #map7, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_5, %transposed_7 : tensor<1x3x6x1xf32>, tensor<1x3x1x7xf32>) outs(%24 : tensor<1x3x6x7xf32>) {
    ^bb0(%in: f32, %in_16: f32, %out: f32):
      %31 = arith.mulf %in, %in_16 : f32
      linalg.yield %31 : f32
    } -> tensor<1x3x6x7xf32>
    %expanded_8 = tensor.expand_shape %21 [[0, 1], [2]] output_shape [1, 5, 42] : tensor<5x42xf32> into tensor<1x5x42xf32>
    %26 = tensor.empty() : tensor<6x7x3x1xf32>
    %transposed_9 = linalg.transpose ins(%25 : tensor<1x3x6x7xf32>) outs(%26 : tensor<6x7x3x1xf32>) permutation = [2, 3, 1, 0]
    %collapsed_10 = tensor.collapse_shape %transposed_9 [[0, 1], [2, 3]] : tensor<6x7x3x1xf32> into tensor<42x3xf32>
    %expanded_11 = tensor.expand_shape %collapsed_10 [[0, 1], [2]] output_shape [1, 42, 3] : tensor<42x3xf32> into tensor<1x42x3xf32>
    %27 = tensor.empty() : tensor<1x5x3xf32>
    %28 = linalg.fill ins(%cst : f32) outs(%27 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %29 = linalg.batch_matmul ins(%expanded_8, %expanded_11 : tensor<1x5x42xf32>, tensor<1x42x3xf32>) outs(%28 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %collapsed_12 = tensor.collapse_shape %29 [[0, 1], [2]] : tensor<1x5x3xf32> into tensor<5x3xf32>
    %expanded_13 = tensor.expand_shape %collapsed_12 [[0], [1, 2, 3]] output_shape [5, 1, 1, 3] : tensor<5x3xf32> into tensor<5x1x1x3xf32>
    %30 = tensor.empty() : tensor<5x3x1x1xf32>
    %transposed_14 = linalg.transpose ins(%expanded_13 : tensor<5x1x1x3xf32>) outs(%30 : tensor<5x3x1x1xf32>) permutation = [0, 3, 1, 2]
    %collapsed_15 = tensor.collapse_shape %transposed_14 [[0], [1, 2, 3]] : tensor<5x3x1x1xf32> into tensor<5x3xf32>
    return %collapsed_15 : tensor<5x3xf32>
  }
}
