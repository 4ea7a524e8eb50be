// In two steps each: queries and first keys first, last values first; maximum and sum over two dimensions.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, 0, d4)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, 0, d3, d4)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map4 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#map5 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, 0, 0)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x2x7x4xf32>, %arg3: tensor<1x2x6x3xf32>, %arg4: tensor<1x2x7x3xf32>) -> tensor<1x2x5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1], [2], [3, 4]] output_shape [1, 2, 5, 4, 1] : tensor<1x2x5x4xf32> into tensor<1x2x5x4x1xf32>
    %0 = tensor.empty() : tensor<1x2x5x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<1x2x5x4x1xf32>) outs(%0 : tensor<1x2x5x1x4xf32>) permutation = [0, 1, 2, 4, 3]
    %expanded_2 = tensor.expand_shape %arg1 [[0], [1], [2], [3, 4]] output_shape [1, 2, 6, 4, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1xf32>
    %1 = tensor.empty() : tensor<1x2x1x6x4xf32>
    %transposed_3 = linalg.transpose ins(%expanded_2 : tensor<1x2x6x4x1xf32>) outs(%1 : tensor<1x2x1x6x4xf32>) permutation = [0, 1, 4, 2, 3]
    %2 = tensor.empty() : tensor<1x2x5x6x4xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_3 : tensor<1x2x5x1x4xf32>, tensor<1x2x1x6x4xf32>) outs(%2 : tensor<1x2x5x6x4xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %40 = arith.mulf %in, %in_31 : f32
      linalg.yield %40 : f32
    } -> tensor<1x2x5x6x4xf32>
    %expanded_4 = tensor.expand_shape %3 [[0], [1], [2], [3], [4, 5]] output_shape [1, 2, 5, 6, 4, 1] : tensor<1x2x5x6x4xf32> into tensor<1x2x5x6x4x1xf32>
    %expanded_5 = tensor.expand_shape %arg2 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 7, 4, 1, 1] : tensor<1x2x7x4xf32> into tensor<1x2x7x4x1x1xf32>
    %4 = tensor.empty() : tensor<2x5x6x4x1x1xf32>
    %transposed_6 = linalg.transpose ins(%expanded_4 : tensor<1x2x5x6x4x1xf32>) outs(%4 : tensor<2x5x6x4x1x1xf32>) permutation = [1, 2, 3, 4, 0, 5]
    %collapsed = tensor.collapse_shape %transposed_6 [[0], [1, 2], [3, 4, 5]] : tensor<2x5x6x4x1x1xf32> into tensor<2x30x4xf32>
    %5 = tensor.empty() : tensor<2x4x1x7x1x1xf32>
    %transposed_7 = linalg.transpose ins(%expanded_5 : tensor<1x2x7x4x1x1xf32>) outs(%5 : tensor<2x4x1x7x1x1xf32>) permutation = [1, 3, 0, 2, 4, 5]
    %collapsed_8 = tensor.collapse_shape %transposed_7 [[0], [1], [2, 3, 4, 5]] : tensor<2x4x1x7x1x1xf32> into tensor<2x4x7xf32>
    %6 = tensor.empty() : tensor<2x30x7xf32>
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<2x30x7xf32>) -> tensor<2x30x7xf32>
    %8 = linalg.batch_matmul ins(%collapsed, %collapsed_8 : tensor<2x30x4xf32>, tensor<2x4x7xf32>) outs(%7 : tensor<2x30x7xf32>) -> tensor<2x30x7xf32>
    %expanded_9 = tensor.expand_shape %8 [[0], [1, 2], [3, 4, 5]] output_shape [2, 5, 6, 1, 1, 7] : tensor<2x30x7xf32> into tensor<2x5x6x1x1x7xf32>
    %9 = tensor.empty() : tensor<1x2x5x6x7x1xf32>
    %transposed_10 = linalg.transpose ins(%expanded_9 : tensor<2x5x6x1x1x7xf32>) outs(%9 : tensor<1x2x5x6x7x1xf32>) permutation = [4, 0, 1, 2, 5, 3]
    %collapsed_11 = tensor.collapse_shape %transposed_10 [[0], [1], [2], [3], [4, 5]] : tensor<1x2x5x6x7x1xf32> into tensor<1x2x5x6x7xf32>
    %10 = tensor.empty() : tensor<1x2x5x6x7xf32>
    %11 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_11 : tensor<1x2x5x6x7xf32>) outs(%10 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %40 = arith.mulf %in, %cst_1 : f32
      linalg.yield %40 : f32
    } -> tensor<1x2x5x6x7xf32>
    %12 = tensor.empty() : tensor<1x2x5x6xi64>
    %13 = linalg.fill ins(%c0_i64 : i64) outs(%12 : tensor<1x2x5x6xi64>) -> tensor<1x2x5x6xi64>
    %14 = tensor.empty() : tensor<1x2x5x6xf32>
    %15 = linalg.fill ins(%cst_0 : f32) outs(%14 : tensor<1x2x5x6xf32>) -> tensor<1x2x5x6xf32>
    %16:2 = linalg.generic {indexing_maps = [#map2, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%11 : tensor<1x2x5x6x7xf32>) outs(%15, %13 : tensor<1x2x5x6xf32>, tensor<1x2x5x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_31: i64):
      %40 = linalg.index 4 : index
      %41 = arith.index_cast %40 : index to i64
      %42 = arith.maximumf %in, %out : f32
      %43 = arith.cmpf ogt, %in, %out : f32
      %44 = arith.select %43, %41, %out_31 : i64
      linalg.yield %42, %44 : f32, i64
    } -> (tensor<1x2x5x6xf32>, tensor<1x2x5x6xi64>)
    %expanded_12 = tensor.expand_shape %16#0 [[0], [1], [2], [3, 4]] output_shape [1, 2, 5, 6, 1] : tensor<1x2x5x6xf32> into tensor<1x2x5x6x1xf32>
    %17 = tensor.empty() : tensor<1x2x5x1xi64>
    %18 = linalg.fill ins(%c0_i64 : i64) outs(%17 : tensor<1x2x5x1xi64>) -> tensor<1x2x5x1xi64>
    %19 = tensor.empty() : tensor<1x2x5x1xf32>
    %20 = linalg.fill ins(%cst_0 : f32) outs(%19 : tensor<1x2x5x1xf32>) -> tensor<1x2x5x1xf32>
    %21:2 = linalg.generic {indexing_maps = [#map2, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "reduction", "parallel"]} ins(%expanded_12 : tensor<1x2x5x6x1xf32>) outs(%20, %18 : tensor<1x2x5x1xf32>, tensor<1x2x5x1xi64>) {
    ^bb0(%in: f32, %out: f32, %out_31: i64):
      %40 = linalg.index 3 : index
      %41 = arith.index_cast %40 : index to i64
      %42 = arith.maximumf %in, %out : f32
      %43 = arith.cmpf ogt, %in, %out : f32
      %44 = arith.select %43, %41, %out_31 : i64
      linalg.yield %42, %44 : f32, i64
    } -> (tensor<1x2x5x1xf32>, tensor<1x2x5x1xi64>)
    %expanded_13 = tensor.expand_shape %21#0 [[0], [1], [2, 3], [4]] output_shape [1, 2, 5, 1, 1] : tensor<1x2x5x1xf32> into tensor<1x2x5x1x1xf32>
    %22 = linalg.generic {indexing_maps = [#map2, #map5, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%11, %expanded_13 : tensor<1x2x5x6x7xf32>, tensor<1x2x5x1x1xf32>) outs(%10 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %40 = arith.subf %in, %in_31 : f32
      linalg.yield %40 : f32
    } -> tensor<1x2x5x6x7xf32>
    %23 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%22 : tensor<1x2x5x6x7xf32>) outs(%10 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %40 = math.exp %in : f32
      linalg.yield %40 : f32
    } -> tensor<1x2x5x6x7xf32>
    %24 = tensor.empty() : tensor<1x2x5x1x1xf32>
    %25 = linalg.fill ins(%cst : f32) outs(%24 : tensor<1x2x5x1x1xf32>) -> tensor<1x2x5x1x1xf32>
    %26 = linalg.generic {indexing_maps = [#map2, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%23 : tensor<1x2x5x6x7xf32>) outs(%25 : tensor<1x2x5x1x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %40 = arith.addf %in, %out : f32
      linalg.yield %40 : f32
    } -> tensor<1x2x5x1x1xf32>
    %27 = linalg.generic {indexing_maps = [#map2, #map5, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%23, %26 : tensor<1x2x5x6x7xf32>, tensor<1x2x5x1x1xf32>) outs(%10 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %40 = arith.divf %in, %in_31 : f32
      linalg.yield %40 : f32
    } -> tensor<1x2x5x6x7xf32>
    %expanded_14 = tensor.expand_shape %27 [[0], [1], [2], [3], [4, 5]] output_shape [1, 2, 5, 6, 7, 1] : tensor<1x2x5x6x7xf32> into tensor<1x2x5x6x7x1xf32>
    %expanded_15 = tensor.expand_shape %arg4 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 7, 3, 1, 1] : tensor<1x2x7x3xf32> into tensor<1x2x7x3x1x1xf32>
    %28 = tensor.empty() : tensor<2x5x6x7x1x1xf32>
    %transposed_16 = linalg.transpose ins(%expanded_14 : tensor<1x2x5x6x7x1xf32>) outs(%28 : tensor<2x5x6x7x1x1xf32>) permutation = [1, 2, 3, 4, 0, 5]
    %collapsed_17 = tensor.collapse_shape %transposed_16 [[0], [1, 2], [3, 4, 5]] : tensor<2x5x6x7x1x1xf32> into tensor<2x30x7xf32>
    %29 = tensor.empty() : tensor<2x7x1x3x1x1xf32>
    %transposed_18 = linalg.transpose ins(%expanded_15 : tensor<1x2x7x3x1x1xf32>) outs(%29 : tensor<2x7x1x3x1x1xf32>) permutation = [1, 2, 0, 3, 4, 5]
    %collapsed_19 = tensor.collapse_shape %transposed_18 [[0], [1], [2, 3, 4, 5]] : tensor<2x7x1x3x1x1xf32> into tensor<2x7x3xf32>
    %30 = tensor.empty() : tensor<2x30x3xf32>
    %31 = linalg.fill ins(%cst : f32) outs(%30 : tensor<2x30x3xf32>) -> tensor<2x30x3xf32>
    %32 = linalg.batch_matmul ins(%collapsed_17, %collapsed_19 : tensor<2x30x7xf32>, tensor<2x7x3xf32>) outs(%31 : tensor<2x30x3xf32>) -> tensor<2x30x3xf32>
    %expanded_20 = tensor.expand_shape %32 [[0], [1, 2], [3, 4, 5]] output_shape [2, 5, 6, 1, 1, 3] : tensor<2x30x3xf32> into tensor<2x5x6x1x1x3xf32>
    %33 = tensor.empty() : tensor<1x2x5x6x3x1xf32>
    %transposed_21 = linalg.transpose ins(%expanded_20 : tensor<2x5x6x1x1x3xf32>) outs(%33 : tensor<1x2x5x6x3x1xf32>) permutation = [4, 0, 1, 2, 5, 3]
    %collapsed_22 = tensor.collapse_shape %transposed_21 [[0], [1], [2], [3], [4, 5]] : tensor<1x2x5x6x3x1xf32> into tensor<1x2x5x6x3xf32>
    %expanded_23 = tensor.expand_shape %arg3 [[0], [1], [2], [3, 4]] output_shape [1, 2, 6, 3, 1] : tensor<1x2x6x3xf32> into tensor<1x2x6x3x1xf32>
    %34 = tensor.empty() : tensor<2x3x1x6x1xf32>
    %transposed_24 = linalg.transpose ins(%expanded_23 : tensor<1x2x6x3x1xf32>) outs(%34 : tensor<2x3x1x6x1xf32>) permutation = [1, 3, 0, 2, 4]
    %collapsed_25 = tensor.collapse_shape %transposed_24 [[0, 1], [2], [3, 4]] : tensor<2x3x1x6x1xf32> into tensor<6x1x6xf32>
    %35 = tensor.empty() : tensor<2x3x6x5x1xf32>
    %transposed_26 = linalg.transpose ins(%collapsed_22 : tensor<1x2x5x6x3xf32>) outs(%35 : tensor<2x3x6x5x1xf32>) permutation = [1, 4, 3, 2, 0]
    %collapsed_27 = tensor.collapse_shape %transposed_26 [[0, 1], [2], [3, 4]] : tensor<2x3x6x5x1xf32> into tensor<6x6x5xf32>
    %36 = tensor.empty() : tensor<6x1x5xf32>
    %37 = linalg.fill ins(%cst : f32) outs(%36 : tensor<6x1x5xf32>) -> tensor<6x1x5xf32>
    %38 = linalg.batch_matmul ins(%collapsed_25, %collapsed_27 : tensor<6x1x6xf32>, tensor<6x6x5xf32>) outs(%37 : tensor<6x1x5xf32>) -> tensor<6x1x5xf32>
    %expanded_28 = tensor.expand_shape %38 [[0, 1], [2], [3, 4]] output_shape [2, 3, 1, 1, 5] : tensor<6x1x5xf32> into tensor<2x3x1x1x5xf32>
    %39 = tensor.empty() : tensor<1x2x5x3x1xf32>
    %transposed_29 = linalg.transpose ins(%expanded_28 : tensor<2x3x1x1x5xf32>) outs(%39 : tensor<1x2x5x3x1xf32>) permutation = [2, 0, 4, 1, 3]
    %collapsed_30 = tensor.collapse_shape %transposed_29 [[0], [1], [2], [3, 4]] : tensor<1x2x5x3x1xf32> into tensor<1x2x5x3xf32>
    return %collapsed_30 : tensor<1x2x5x3xf32>
  }
}
