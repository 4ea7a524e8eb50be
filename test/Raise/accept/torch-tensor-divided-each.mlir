// Softmax over the last keys: ordinary attention of products of queries and first keys.
//
// ARGS: normal normal normal normal normal
// OVERFLOWS: no maximum is subtracted
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
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
      %28 = arith.mulf %in, %in_26 : f32
      linalg.yield %28 : f32
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
      %28 = arith.mulf %in, %cst_0 : f32
      linalg.yield %28 : f32
    } -> tensor<5x6x7xf32>
    %12 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11 : tensor<5x6x7xf32>) outs(%10 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = math.exp %in : f32
      linalg.yield %28 : f32
    } -> tensor<5x6x7xf32>
    %collapsed_13 = tensor.collapse_shape %12 [[0, 1], [2]] : tensor<5x6x7xf32> into tensor<30x7xf32>
    %expanded_14 = tensor.expand_shape %collapsed_13 [[0, 1], [2]] output_shape [1, 30, 7] : tensor<30x7xf32> into tensor<1x30x7xf32>
    %expanded_15 = tensor.expand_shape %arg4 [[0, 1], [2]] output_shape [1, 7, 3] : tensor<7x3xf32> into tensor<1x7x3xf32>
    %13 = tensor.empty() : tensor<1x30x3xf32>
    %14 = linalg.fill ins(%cst : f32) outs(%13 : tensor<1x30x3xf32>) -> tensor<1x30x3xf32>
    %15 = linalg.batch_matmul ins(%expanded_14, %expanded_15 : tensor<1x30x7xf32>, tensor<1x7x3xf32>) outs(%14 : tensor<1x30x3xf32>) -> tensor<1x30x3xf32>
    %collapsed_16 = tensor.collapse_shape %15 [[0, 1], [2]] : tensor<1x30x3xf32> into tensor<30x3xf32>
    %expanded_17 = tensor.expand_shape %collapsed_16 [[0, 1], [2, 3]] output_shape [5, 6, 1, 3] : tensor<30x3xf32> into tensor<5x6x1x3xf32>
    %16 = tensor.empty() : tensor<5x6x3x1xf32>
    %transposed_18 = linalg.transpose ins(%expanded_17 : tensor<5x6x1x3xf32>) outs(%16 : tensor<5x6x3x1xf32>) permutation = [0, 1, 3, 2]
    %collapsed_19 = tensor.collapse_shape %transposed_18 [[0], [1], [2, 3]] : tensor<5x6x3x1xf32> into tensor<5x6x3xf32>
    %17 = tensor.empty() : tensor<5x6xf32>
    %18 = linalg.fill ins(%cst : f32) outs(%17 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %19 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "reduction"]} ins(%12 : tensor<5x6x7xf32>) outs(%18 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.addf %in, %out : f32
      linalg.yield %28 : f32
    } -> tensor<5x6xf32>
    %expanded_20 = tensor.expand_shape %19 [[0], [1, 2]] output_shape [5, 6, 1] : tensor<5x6xf32> into tensor<5x6x1xf32>
    %20 = tensor.empty() : tensor<5x6x3xf32>
    %21 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_19, %expanded_20 : tensor<5x6x3xf32>, tensor<5x6x1xf32>) outs(%20 : tensor<5x6x3xf32>) {
    ^bb0(%in: f32, %in_26: f32, %out: f32):
      %28 = arith.divf %in, %in_26 : f32
      linalg.yield %28 : f32
    } -> tensor<5x6x3xf32>
    %expanded_21 = tensor.expand_shape %arg3 [[0], [1, 2]] output_shape [6, 3, 1] : tensor<6x3xf32> into tensor<6x3x1xf32>
    %22 = tensor.empty() : tensor<3x5x6xf32>
    %transposed_22 = linalg.transpose ins(%21 : tensor<5x6x3xf32>) outs(%22 : tensor<3x5x6xf32>) permutation = [2, 0, 1]
    %23 = tensor.empty() : tensor<3x6x1xf32>
    %transposed_23 = linalg.transpose ins(%expanded_21 : tensor<6x3x1xf32>) outs(%23 : tensor<3x6x1xf32>) permutation = [1, 0, 2]
    %24 = tensor.empty() : tensor<3x5x1xf32>
    %25 = linalg.fill ins(%cst : f32) outs(%24 : tensor<3x5x1xf32>) -> tensor<3x5x1xf32>
    %26 = linalg.batch_matmul ins(%transposed_22, %transposed_23 : tensor<3x5x6xf32>, tensor<3x6x1xf32>) outs(%25 : tensor<3x5x1xf32>) -> tensor<3x5x1xf32>
    %27 = tensor.empty() : tensor<5x3x1xf32>
    %transposed_24 = linalg.transpose ins(%26 : tensor<3x5x1xf32>) outs(%27 : tensor<5x3x1xf32>) permutation = [1, 0, 2]
    %collapsed_25 = tensor.collapse_shape %transposed_24 [[0], [1, 2]] : tensor<5x3x1xf32> into tensor<5x3xf32>
    return %collapsed_25 : tensor<5x3xf32>
  }
}
