// Pairs whose first key is before the second.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: a mask is a condition on keys of several sets together, which attn.tensor_attention has no mask for
// CHECK-NOT: = attn.

#map = affine_map<(d0) -> (d0)>
#map1 = affine_map<(d0, d1) -> (0, d1)>
#map2 = affine_map<(d0, d1) -> (d0, 0)>
#map3 = affine_map<(d0, d1) -> (d0, d1)>
#map4 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, 0, d4, d5)>
#map5 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, 0, d3, d4, d5)>
#map6 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)>
#map7 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map8 = affine_map<(d0, d1, d2, d3, d4) -> (d3, d4)>
#map9 = affine_map<(d0, d1, d2, d3, d4) -> ()>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map11 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map12 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map13 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, 0)>
#map14 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, 0, d5)>
module {
  func.func @main(%arg0: tensor<1x2x6x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x2x6x4xf32>, %arg3: tensor<1x2x6x4xf32>, %arg4: tensor<1x2x6x4xf32>) -> tensor<1x2x6x4xf32> {
    %c-1_i64 = arith.constant -1 : i64
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<true> : tensor<6x6xi1>
    %cst_3 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<6xi64>
    %1 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%0 : tensor<6xi64>) {
    ^bb0(%out: i64):
      %42 = linalg.index 0 : index
      %43 = arith.index_cast %42 : index to i64
      linalg.yield %43 : i64
    } -> tensor<6xi64>
    %expanded = tensor.expand_shape %1 [[0, 1]] output_shape [1, 6] : tensor<6xi64> into tensor<1x6xi64>
    %expanded_4 = tensor.expand_shape %1 [[0, 1]] output_shape [6, 1] : tensor<6xi64> into tensor<6x1xi64>
    %2 = tensor.empty() : tensor<6x6xi64>
    %3 = linalg.generic {indexing_maps = [#map1, #map2, #map3], iterator_types = ["parallel", "parallel"]} ins(%expanded, %expanded_4 : tensor<1x6xi64>, tensor<6x1xi64>) outs(%2 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_29: i64, %out: i64):
      %42 = arith.subi %in, %in_29 : i64
      linalg.yield %42 : i64
    } -> tensor<6x6xi64>
    %4 = tensor.empty() : tensor<6x6xi1>
    %5 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<6x6xi64>) outs(%4 : tensor<6x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %42 = arith.cmpi sle, %in, %c-1_i64 : i64
      linalg.yield %42 : i1
    } -> tensor<6x6xi1>
    %6 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%5, %cst_2 : tensor<6x6xi1>, tensor<6x6xi1>) outs(%4 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %in_29: i1, %out: i1):
      %42 = arith.andi %in, %in_29 : i1
      linalg.yield %42 : i1
    } -> tensor<6x6xi1>
    %expanded_5 = tensor.expand_shape %arg0 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %7 = tensor.empty() : tensor<1x2x6x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded_5 : tensor<1x2x6x4x1x1xf32>) outs(%7 : tensor<1x2x6x1x1x4xf32>) permutation = [0, 1, 2, 4, 5, 3]
    %expanded_6 = tensor.expand_shape %arg1 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %8 = tensor.empty() : tensor<1x2x1x6x1x4xf32>
    %transposed_7 = linalg.transpose ins(%expanded_6 : tensor<1x2x6x4x1x1xf32>) outs(%8 : tensor<1x2x1x6x1x4xf32>) permutation = [0, 1, 4, 2, 5, 3]
    %expanded_8 = tensor.expand_shape %arg2 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %9 = tensor.empty() : tensor<1x2x6x6x1x4xf32>
    %10 = linalg.generic {indexing_maps = [#map4, #map5, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_7 : tensor<1x2x6x1x1x4xf32>, tensor<1x2x1x6x1x4xf32>) outs(%9 : tensor<1x2x6x6x1x4xf32>) {
    ^bb0(%in: f32, %in_29: f32, %out: f32):
      %42 = arith.mulf %in, %in_29 : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x6x6x1x4xf32>
    %11 = tensor.empty() : tensor<2x1x6x6x4x1xf32>
    %transposed_9 = linalg.transpose ins(%10 : tensor<1x2x6x6x1x4xf32>) outs(%11 : tensor<2x1x6x6x4x1xf32>) permutation = [1, 0, 2, 3, 5, 4]
    %collapsed = tensor.collapse_shape %transposed_9 [[0], [1, 2, 3], [4, 5]] : tensor<2x1x6x6x4x1xf32> into tensor<2x36x4xf32>
    %12 = tensor.empty() : tensor<2x4x6x1x1x1xf32>
    %transposed_10 = linalg.transpose ins(%expanded_8 : tensor<1x2x6x4x1x1xf32>) outs(%12 : tensor<2x4x6x1x1x1xf32>) permutation = [1, 3, 2, 0, 4, 5]
    %collapsed_11 = tensor.collapse_shape %transposed_10 [[0], [1], [2, 3, 4, 5]] : tensor<2x4x6x1x1x1xf32> into tensor<2x4x6xf32>
    %13 = tensor.empty() : tensor<2x36x6xf32>
    %14 = linalg.fill ins(%cst : f32) outs(%13 : tensor<2x36x6xf32>) -> tensor<2x36x6xf32>
    %15 = linalg.batch_matmul ins(%collapsed, %collapsed_11 : tensor<2x36x4xf32>, tensor<2x4x6xf32>) outs(%14 : tensor<2x36x6xf32>) -> tensor<2x36x6xf32>
    %expanded_12 = tensor.expand_shape %15 [[0], [1, 2, 3], [4, 5]] output_shape [2, 1, 6, 6, 1, 6] : tensor<2x36x6xf32> into tensor<2x1x6x6x1x6xf32>
    %16 = tensor.empty() : tensor<1x2x6x6x6x1xf32>
    %transposed_13 = linalg.transpose ins(%expanded_12 : tensor<2x1x6x6x1x6xf32>) outs(%16 : tensor<1x2x6x6x6x1xf32>) permutation = [1, 0, 2, 3, 5, 4]
    %collapsed_14 = tensor.collapse_shape %transposed_13 [[0], [1], [2], [3], [4, 5]] : tensor<1x2x6x6x6x1xf32> into tensor<1x2x6x6x6xf32>
    %17 = tensor.empty() : tensor<1x2x6x6x6xf32>
    %18 = linalg.generic {indexing_maps = [#map7, #map7], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_14 : tensor<1x2x6x6x6xf32>) outs(%17 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %42 = arith.mulf %in, %cst_3 : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x6x6x6xf32>
    %19 = linalg.generic {indexing_maps = [#map8, #map9, #map7, #map7], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%6, %cst_1, %18 : tensor<6x6xi1>, tensor<f32>, tensor<1x2x6x6x6xf32>) outs(%17 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: i1, %in_29: f32, %in_30: f32, %out: f32):
      %42 = arith.select %in, %in_29, %in_30 : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x6x6x6xf32>
    %collapsed_15 = tensor.collapse_shape %19 [[0], [1], [2], [3, 4]] : tensor<1x2x6x6x6xf32> into tensor<1x2x6x36xf32>
    %20 = tensor.empty() : tensor<1x2x6xi64>
    %21 = linalg.fill ins(%c0_i64 : i64) outs(%20 : tensor<1x2x6xi64>) -> tensor<1x2x6xi64>
    %22 = tensor.empty() : tensor<1x2x6xf32>
    %23 = linalg.fill ins(%cst_0 : f32) outs(%22 : tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
    %24:2 = linalg.generic {indexing_maps = [#map10, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_15 : tensor<1x2x6x36xf32>) outs(%23, %21 : tensor<1x2x6xf32>, tensor<1x2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_29: i64):
      %42 = linalg.index 3 : index
      %43 = arith.index_cast %42 : index to i64
      %44 = arith.maximumf %in, %out : f32
      %45 = arith.cmpf ogt, %in, %out : f32
      %46 = arith.select %45, %43, %out_29 : i64
      linalg.yield %44, %46 : f32, i64
    } -> (tensor<1x2x6xf32>, tensor<1x2x6xi64>)
    %expanded_16 = tensor.expand_shape %24#0 [[0], [1], [2, 3]] output_shape [1, 2, 6, 1] : tensor<1x2x6xf32> into tensor<1x2x6x1xf32>
    %25 = tensor.empty() : tensor<1x2x6x36xf32>
    %26 = linalg.generic {indexing_maps = [#map10, #map12, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_15, %expanded_16 : tensor<1x2x6x36xf32>, tensor<1x2x6x1xf32>) outs(%25 : tensor<1x2x6x36xf32>) {
    ^bb0(%in: f32, %in_29: f32, %out: f32):
      %42 = arith.subf %in, %in_29 : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x6x36xf32>
    %27 = linalg.generic {indexing_maps = [#map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%26 : tensor<1x2x6x36xf32>) outs(%25 : tensor<1x2x6x36xf32>) {
    ^bb0(%in: f32, %out: f32):
      %42 = math.exp %in : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x6x36xf32>
    %28 = tensor.empty() : tensor<1x2x6x1xf32>
    %29 = linalg.fill ins(%cst : f32) outs(%28 : tensor<1x2x6x1xf32>) -> tensor<1x2x6x1xf32>
    %30 = linalg.generic {indexing_maps = [#map10, #map12], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%27 : tensor<1x2x6x36xf32>) outs(%29 : tensor<1x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %42 = arith.addf %in, %out : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x6x1xf32>
    %31 = linalg.generic {indexing_maps = [#map10, #map12, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%27, %30 : tensor<1x2x6x36xf32>, tensor<1x2x6x1xf32>) outs(%25 : tensor<1x2x6x36xf32>) {
    ^bb0(%in: f32, %in_29: f32, %out: f32):
      %42 = arith.divf %in, %in_29 : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x6x36xf32>
    %expanded_17 = tensor.expand_shape %31 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 6, 6, 1] : tensor<1x2x6x36xf32> into tensor<1x2x6x6x6x1xf32>
    %expanded_18 = tensor.expand_shape %arg3 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %32 = tensor.empty() : tensor<1x2x1x4x6x1xf32>
    %transposed_19 = linalg.transpose ins(%expanded_18 : tensor<1x2x6x4x1x1xf32>) outs(%32 : tensor<1x2x1x4x6x1xf32>) permutation = [0, 1, 4, 3, 2, 5]
    %expanded_20 = tensor.expand_shape %arg4 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %33 = tensor.empty() : tensor<1x2x1x4x1x6xf32>
    %transposed_21 = linalg.transpose ins(%expanded_20 : tensor<1x2x6x4x1x1xf32>) outs(%33 : tensor<1x2x1x4x1x6xf32>) permutation = [0, 1, 4, 3, 5, 2]
    %34 = tensor.empty() : tensor<1x2x1x4x6x6xf32>
    %35 = linalg.generic {indexing_maps = [#map13, #map14, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed_19, %transposed_21 : tensor<1x2x1x4x6x1xf32>, tensor<1x2x1x4x1x6xf32>) outs(%34 : tensor<1x2x1x4x6x6xf32>) {
    ^bb0(%in: f32, %in_29: f32, %out: f32):
      %42 = arith.mulf %in, %in_29 : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x1x4x6x6xf32>
    %36 = tensor.empty() : tensor<2x6x6x6x1x1xf32>
    %transposed_22 = linalg.transpose ins(%expanded_17 : tensor<1x2x6x6x6x1xf32>) outs(%36 : tensor<2x6x6x6x1x1xf32>) permutation = [1, 2, 3, 4, 0, 5]
    %collapsed_23 = tensor.collapse_shape %transposed_22 [[0], [1], [2, 3, 4, 5]] : tensor<2x6x6x6x1x1xf32> into tensor<2x6x36xf32>
    %37 = tensor.empty() : tensor<2x6x6x1x4x1xf32>
    %transposed_24 = linalg.transpose ins(%35 : tensor<1x2x1x4x6x6xf32>) outs(%37 : tensor<2x6x6x1x4x1xf32>) permutation = [1, 4, 5, 0, 3, 2]
    %collapsed_25 = tensor.collapse_shape %transposed_24 [[0], [1, 2], [3, 4, 5]] : tensor<2x6x6x1x4x1xf32> into tensor<2x36x4xf32>
    %38 = tensor.empty() : tensor<2x6x4xf32>
    %39 = linalg.fill ins(%cst : f32) outs(%38 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %40 = linalg.batch_matmul ins(%collapsed_23, %collapsed_25 : tensor<2x6x36xf32>, tensor<2x36x4xf32>) outs(%39 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %expanded_26 = tensor.expand_shape %40 [[0], [1], [2, 3, 4, 5]] output_shape [2, 6, 1, 1, 1, 4] : tensor<2x6x4xf32> into tensor<2x6x1x1x1x4xf32>
    %41 = tensor.empty() : tensor<1x2x6x4x1x1xf32>
    %transposed_27 = linalg.transpose ins(%expanded_26 : tensor<2x6x1x1x1x4xf32>) outs(%41 : tensor<1x2x6x4x1x1xf32>) permutation = [4, 0, 1, 5, 2, 3]
    %collapsed_28 = tensor.collapse_shape %transposed_27 [[0], [1], [2], [3, 4, 5]] : tensor<1x2x6x4x1x1xf32> into tensor<1x2x6x4xf32>
    return %collapsed_28 : tensor<1x2x6x4xf32>
  }
}
