// Scores with the last keys first, output with the first values first; the queries are scaled.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, 0, d4)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, 0, d3, d4)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x2x7x4xf32>, %arg3: tensor<1x2x6x3xf32>, %arg4: tensor<1x2x7x3xf32>) -> tensor<1x2x5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<1x2x5x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg0 : tensor<1x2x5x4xf32>) outs(%0 : tensor<1x2x5x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %36 = arith.mulf %in, %cst_1 : f32
      linalg.yield %36 : f32
    } -> tensor<1x2x5x4xf32>
    %expanded = tensor.expand_shape %1 [[0], [1], [2], [3, 4]] output_shape [1, 2, 5, 4, 1] : tensor<1x2x5x4xf32> into tensor<1x2x5x4x1xf32>
    %2 = tensor.empty() : tensor<1x2x5x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<1x2x5x4x1xf32>) outs(%2 : tensor<1x2x5x1x4xf32>) permutation = [0, 1, 2, 4, 3]
    %expanded_2 = tensor.expand_shape %arg2 [[0], [1], [2], [3, 4]] output_shape [1, 2, 7, 4, 1] : tensor<1x2x7x4xf32> into tensor<1x2x7x4x1xf32>
    %3 = tensor.empty() : tensor<1x2x1x7x4xf32>
    %transposed_3 = linalg.transpose ins(%expanded_2 : tensor<1x2x7x4x1xf32>) outs(%3 : tensor<1x2x1x7x4xf32>) permutation = [0, 1, 4, 2, 3]
    %4 = tensor.empty() : tensor<1x2x5x7x4xf32>
    %5 = linalg.generic {indexing_maps = [#map1, #map2, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_3 : tensor<1x2x5x1x4xf32>, tensor<1x2x1x7x4xf32>) outs(%4 : tensor<1x2x5x7x4xf32>) {
    ^bb0(%in: f32, %in_30: f32, %out: f32):
      %36 = arith.mulf %in, %in_30 : f32
      linalg.yield %36 : f32
    } -> tensor<1x2x5x7x4xf32>
    %expanded_4 = tensor.expand_shape %5 [[0], [1], [2], [3], [4, 5]] output_shape [1, 2, 5, 7, 4, 1] : tensor<1x2x5x7x4xf32> into tensor<1x2x5x7x4x1xf32>
    %expanded_5 = tensor.expand_shape %arg1 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %6 = tensor.empty() : tensor<2x5x7x4x1x1xf32>
    %transposed_6 = linalg.transpose ins(%expanded_4 : tensor<1x2x5x7x4x1xf32>) outs(%6 : tensor<2x5x7x4x1x1xf32>) permutation = [1, 2, 3, 4, 0, 5]
    %collapsed = tensor.collapse_shape %transposed_6 [[0], [1, 2], [3, 4, 5]] : tensor<2x5x7x4x1x1xf32> into tensor<2x35x4xf32>
    %7 = tensor.empty() : tensor<2x4x1x6x1x1xf32>
    %transposed_7 = linalg.transpose ins(%expanded_5 : tensor<1x2x6x4x1x1xf32>) outs(%7 : tensor<2x4x1x6x1x1xf32>) permutation = [1, 3, 0, 2, 4, 5]
    %collapsed_8 = tensor.collapse_shape %transposed_7 [[0], [1], [2, 3, 4, 5]] : tensor<2x4x1x6x1x1xf32> into tensor<2x4x6xf32>
    %8 = tensor.empty() : tensor<2x35x6xf32>
    %9 = linalg.fill ins(%cst : f32) outs(%8 : tensor<2x35x6xf32>) -> tensor<2x35x6xf32>
    %10 = linalg.batch_matmul ins(%collapsed, %collapsed_8 : tensor<2x35x4xf32>, tensor<2x4x6xf32>) outs(%9 : tensor<2x35x6xf32>) -> tensor<2x35x6xf32>
    %expanded_9 = tensor.expand_shape %10 [[0], [1, 2], [3, 4, 5]] output_shape [2, 5, 7, 1, 1, 6] : tensor<2x35x6xf32> into tensor<2x5x7x1x1x6xf32>
    %11 = tensor.empty() : tensor<1x2x5x6x7x1xf32>
    %transposed_10 = linalg.transpose ins(%expanded_9 : tensor<2x5x7x1x1x6xf32>) outs(%11 : tensor<1x2x5x6x7x1xf32>) permutation = [4, 0, 1, 5, 2, 3]
    %collapsed_11 = tensor.collapse_shape %transposed_10 [[0], [1], [2], [3, 4, 5]] : tensor<1x2x5x6x7x1xf32> into tensor<1x2x5x42xf32>
    %12 = tensor.empty() : tensor<1x2x5xi64>
    %13 = linalg.fill ins(%c0_i64 : i64) outs(%12 : tensor<1x2x5xi64>) -> tensor<1x2x5xi64>
    %14 = tensor.empty() : tensor<1x2x5xf32>
    %15 = linalg.fill ins(%cst_0 : f32) outs(%14 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %16:2 = linalg.generic {indexing_maps = [#map, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_11 : tensor<1x2x5x42xf32>) outs(%15, %13 : tensor<1x2x5xf32>, tensor<1x2x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_30: i64):
      %36 = linalg.index 3 : index
      %37 = arith.index_cast %36 : index to i64
      %38 = arith.maximumf %in, %out : f32
      %39 = arith.cmpf ogt, %in, %out : f32
      %40 = arith.select %39, %37, %out_30 : i64
      linalg.yield %38, %40 : f32, i64
    } -> (tensor<1x2x5xf32>, tensor<1x2x5xi64>)
    %expanded_12 = tensor.expand_shape %16#0 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %17 = tensor.empty() : tensor<1x2x5x42xf32>
    %18 = linalg.generic {indexing_maps = [#map, #map5, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_11, %expanded_12 : tensor<1x2x5x42xf32>, tensor<1x2x5x1xf32>) outs(%17 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %in_30: f32, %out: f32):
      %36 = arith.subf %in, %in_30 : f32
      linalg.yield %36 : f32
    } -> tensor<1x2x5x42xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%18 : tensor<1x2x5x42xf32>) outs(%17 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %36 = math.exp %in : f32
      linalg.yield %36 : f32
    } -> tensor<1x2x5x42xf32>
    %20 = tensor.empty() : tensor<1x2x5x1xf32>
    %21 = linalg.fill ins(%cst : f32) outs(%20 : tensor<1x2x5x1xf32>) -> tensor<1x2x5x1xf32>
    %22 = linalg.generic {indexing_maps = [#map, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%19 : tensor<1x2x5x42xf32>) outs(%21 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %36 = arith.addf %in, %out : f32
      linalg.yield %36 : f32
    } -> tensor<1x2x5x1xf32>
    %23 = linalg.generic {indexing_maps = [#map, #map5, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%19, %22 : tensor<1x2x5x42xf32>, tensor<1x2x5x1xf32>) outs(%17 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %in_30: f32, %out: f32):
      %36 = arith.divf %in, %in_30 : f32
      linalg.yield %36 : f32
    } -> tensor<1x2x5x42xf32>
    %expanded_13 = tensor.expand_shape %23 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 5, 6, 7, 1] : tensor<1x2x5x42xf32> into tensor<1x2x5x6x7x1xf32>
    %expanded_14 = tensor.expand_shape %arg3 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 3, 1, 1] : tensor<1x2x6x3xf32> into tensor<1x2x6x3x1x1xf32>
    %24 = tensor.empty() : tensor<2x5x7x6x1x1xf32>
    %transposed_15 = linalg.transpose ins(%expanded_13 : tensor<1x2x5x6x7x1xf32>) outs(%24 : tensor<2x5x7x6x1x1xf32>) permutation = [1, 2, 4, 3, 0, 5]
    %collapsed_16 = tensor.collapse_shape %transposed_15 [[0], [1, 2], [3, 4, 5]] : tensor<2x5x7x6x1x1xf32> into tensor<2x35x6xf32>
    %25 = tensor.empty() : tensor<2x6x1x3x1x1xf32>
    %transposed_17 = linalg.transpose ins(%expanded_14 : tensor<1x2x6x3x1x1xf32>) outs(%25 : tensor<2x6x1x3x1x1xf32>) permutation = [1, 2, 0, 3, 4, 5]
    %collapsed_18 = tensor.collapse_shape %transposed_17 [[0], [1], [2, 3, 4, 5]] : tensor<2x6x1x3x1x1xf32> into tensor<2x6x3xf32>
    %26 = tensor.empty() : tensor<2x35x3xf32>
    %27 = linalg.fill ins(%cst : f32) outs(%26 : tensor<2x35x3xf32>) -> tensor<2x35x3xf32>
    %28 = linalg.batch_matmul ins(%collapsed_16, %collapsed_18 : tensor<2x35x6xf32>, tensor<2x6x3xf32>) outs(%27 : tensor<2x35x3xf32>) -> tensor<2x35x3xf32>
    %expanded_19 = tensor.expand_shape %28 [[0], [1, 2], [3, 4, 5]] output_shape [2, 5, 7, 1, 1, 3] : tensor<2x35x3xf32> into tensor<2x5x7x1x1x3xf32>
    %29 = tensor.empty() : tensor<1x2x5x7x3x1xf32>
    %transposed_20 = linalg.transpose ins(%expanded_19 : tensor<2x5x7x1x1x3xf32>) outs(%29 : tensor<1x2x5x7x3x1xf32>) permutation = [4, 0, 1, 2, 5, 3]
    %collapsed_21 = tensor.collapse_shape %transposed_20 [[0], [1], [2], [3], [4, 5]] : tensor<1x2x5x7x3x1xf32> into tensor<1x2x5x7x3xf32>
    %expanded_22 = tensor.expand_shape %arg4 [[0], [1], [2], [3, 4]] output_shape [1, 2, 7, 3, 1] : tensor<1x2x7x3xf32> into tensor<1x2x7x3x1xf32>
    %30 = tensor.empty() : tensor<2x3x1x7x1xf32>
    %transposed_23 = linalg.transpose ins(%expanded_22 : tensor<1x2x7x3x1xf32>) outs(%30 : tensor<2x3x1x7x1xf32>) permutation = [1, 3, 0, 2, 4]
    %collapsed_24 = tensor.collapse_shape %transposed_23 [[0, 1], [2], [3, 4]] : tensor<2x3x1x7x1xf32> into tensor<6x1x7xf32>
    %31 = tensor.empty() : tensor<2x3x7x5x1xf32>
    %transposed_25 = linalg.transpose ins(%collapsed_21 : tensor<1x2x5x7x3xf32>) outs(%31 : tensor<2x3x7x5x1xf32>) permutation = [1, 4, 3, 2, 0]
    %collapsed_26 = tensor.collapse_shape %transposed_25 [[0, 1], [2], [3, 4]] : tensor<2x3x7x5x1xf32> into tensor<6x7x5xf32>
    %32 = tensor.empty() : tensor<6x1x5xf32>
    %33 = linalg.fill ins(%cst : f32) outs(%32 : tensor<6x1x5xf32>) -> tensor<6x1x5xf32>
    %34 = linalg.batch_matmul ins(%collapsed_24, %collapsed_26 : tensor<6x1x7xf32>, tensor<6x7x5xf32>) outs(%33 : tensor<6x1x5xf32>) -> tensor<6x1x5xf32>
    %expanded_27 = tensor.expand_shape %34 [[0, 1], [2], [3, 4]] output_shape [2, 3, 1, 1, 5] : tensor<6x1x5xf32> into tensor<2x3x1x1x5xf32>
    %35 = tensor.empty() : tensor<1x2x5x3x1xf32>
    %transposed_28 = linalg.transpose ins(%expanded_27 : tensor<2x3x1x1x5xf32>) outs(%35 : tensor<1x2x5x3x1xf32>) permutation = [2, 0, 4, 1, 3]
    %collapsed_29 = tensor.collapse_shape %transposed_28 [[0], [1], [2], [3, 4]] : tensor<1x2x5x3x1xf32> into tensor<1x2x5x3xf32>
    return %collapsed_29 : tensor<1x2x5x3xf32>
  }
}
