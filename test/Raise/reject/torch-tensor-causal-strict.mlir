// A causal mask of strictly earlier keys, which no mask attribute is.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: a mask that differs from row to row and is no causal mask, window or prefix is a bias, which attn.tensor_attention does not have
// CHECK-NOT: = attn.

#map = affine_map<(d0) -> (d0)>
#map1 = affine_map<(d0, d1) -> (0, d1)>
#map2 = affine_map<(d0, d1) -> (d0, 0)>
#map3 = affine_map<(d0, d1) -> (d0, d1)>
#map4 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, 0, d4, d5)>
#map5 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, 0, d3, d4, d5)>
#map6 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)>
#map7 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map8 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map9 = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
#map10 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map11 = affine_map<(d0, d1, d2, d3, d4) -> (d2, d3, d4)>
#map12 = affine_map<(d0, d1, d2, d3, d4) -> ()>
#map13 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map14 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map15 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map16 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, 0)>
#map17 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, 0, d5)>
module {
  func.func @main(%arg0: tensor<1x2x6x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x2x6x4xf32>, %arg3: tensor<1x2x6x4xf32>, %arg4: tensor<1x2x6x4xf32>) -> tensor<1x2x6x4xf32> {
    %c-1_i64 = arith.constant -1 : i64
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %true = arith.constant true
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<true> : tensor<6x6xi1>
    %cst_3 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<6xi64>
    %1 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%0 : tensor<6xi64>) {
    ^bb0(%out: i64):
      %45 = linalg.index 0 : index
      %46 = arith.index_cast %45 : index to i64
      linalg.yield %46 : i64
    } -> tensor<6xi64>
    %expanded = tensor.expand_shape %1 [[0, 1]] output_shape [1, 6] : tensor<6xi64> into tensor<1x6xi64>
    %expanded_4 = tensor.expand_shape %1 [[0, 1]] output_shape [6, 1] : tensor<6xi64> into tensor<6x1xi64>
    %2 = tensor.empty() : tensor<6x6xi64>
    %3 = linalg.generic {indexing_maps = [#map1, #map2, #map3], iterator_types = ["parallel", "parallel"]} ins(%expanded, %expanded_4 : tensor<1x6xi64>, tensor<6x1xi64>) outs(%2 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_31: i64, %out: i64):
      %45 = arith.subi %in, %in_31 : i64
      linalg.yield %45 : i64
    } -> tensor<6x6xi64>
    %4 = tensor.empty() : tensor<6x6xi1>
    %5 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<6x6xi64>) outs(%4 : tensor<6x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %45 = arith.cmpi sle, %in, %c-1_i64 : i64
      linalg.yield %45 : i1
    } -> tensor<6x6xi1>
    %6 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%5, %cst_2 : tensor<6x6xi1>, tensor<6x6xi1>) outs(%4 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %in_31: i1, %out: i1):
      %45 = arith.andi %in, %in_31 : i1
      linalg.yield %45 : i1
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
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %45 = arith.mulf %in, %in_31 : f32
      linalg.yield %45 : f32
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
      %45 = arith.mulf %in, %cst_3 : f32
      linalg.yield %45 : f32
    } -> tensor<1x2x6x6x6xf32>
    %expanded_15 = tensor.expand_shape %6 [[0], [1, 2]] output_shape [6, 6, 1] : tensor<6x6xi1> into tensor<6x6x1xi1>
    %expanded_16 = tensor.expand_shape %6 [[0], [1, 2]] output_shape [6, 1, 6] : tensor<6x6xi1> into tensor<6x1x6xi1>
    %19 = tensor.empty() : tensor<6x6x6xi1>
    %20 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_15, %expanded_16 : tensor<6x6x1xi1>, tensor<6x1x6xi1>) outs(%19 : tensor<6x6x6xi1>) {
    ^bb0(%in: i1, %in_31: i1, %out: i1):
      %45 = arith.andi %in, %in_31 : i1
      linalg.yield %45 : i1
    } -> tensor<6x6x6xi1>
    %21 = linalg.generic {indexing_maps = [#map10, #map10], iterator_types = ["parallel", "parallel", "parallel"]} ins(%20 : tensor<6x6x6xi1>) outs(%19 : tensor<6x6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      %45 = arith.xori %in, %true : i1
      linalg.yield %45 : i1
    } -> tensor<6x6x6xi1>
    %22 = linalg.generic {indexing_maps = [#map11, #map12, #map7, #map7], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%21, %cst_1, %18 : tensor<6x6x6xi1>, tensor<f32>, tensor<1x2x6x6x6xf32>) outs(%17 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: i1, %in_31: f32, %in_32: f32, %out: f32):
      %45 = arith.select %in, %in_31, %in_32 : f32
      linalg.yield %45 : f32
    } -> tensor<1x2x6x6x6xf32>
    %collapsed_17 = tensor.collapse_shape %22 [[0], [1], [2], [3, 4]] : tensor<1x2x6x6x6xf32> into tensor<1x2x6x36xf32>
    %23 = tensor.empty() : tensor<1x2x6xi64>
    %24 = linalg.fill ins(%c0_i64 : i64) outs(%23 : tensor<1x2x6xi64>) -> tensor<1x2x6xi64>
    %25 = tensor.empty() : tensor<1x2x6xf32>
    %26 = linalg.fill ins(%cst_0 : f32) outs(%25 : tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
    %27:2 = linalg.generic {indexing_maps = [#map13, #map14, #map14], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_17 : tensor<1x2x6x36xf32>) outs(%26, %24 : tensor<1x2x6xf32>, tensor<1x2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_31: i64):
      %45 = linalg.index 3 : index
      %46 = arith.index_cast %45 : index to i64
      %47 = arith.maximumf %in, %out : f32
      %48 = arith.cmpf ogt, %in, %out : f32
      %49 = arith.select %48, %46, %out_31 : i64
      linalg.yield %47, %49 : f32, i64
    } -> (tensor<1x2x6xf32>, tensor<1x2x6xi64>)
    %expanded_18 = tensor.expand_shape %27#0 [[0], [1], [2, 3]] output_shape [1, 2, 6, 1] : tensor<1x2x6xf32> into tensor<1x2x6x1xf32>
    %28 = tensor.empty() : tensor<1x2x6x36xf32>
    %29 = linalg.generic {indexing_maps = [#map13, #map15, #map13], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_17, %expanded_18 : tensor<1x2x6x36xf32>, tensor<1x2x6x1xf32>) outs(%28 : tensor<1x2x6x36xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %45 = arith.subf %in, %in_31 : f32
      linalg.yield %45 : f32
    } -> tensor<1x2x6x36xf32>
    %30 = linalg.generic {indexing_maps = [#map13, #map13], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%29 : tensor<1x2x6x36xf32>) outs(%28 : tensor<1x2x6x36xf32>) {
    ^bb0(%in: f32, %out: f32):
      %45 = math.exp %in : f32
      linalg.yield %45 : f32
    } -> tensor<1x2x6x36xf32>
    %31 = tensor.empty() : tensor<1x2x6x1xf32>
    %32 = linalg.fill ins(%cst : f32) outs(%31 : tensor<1x2x6x1xf32>) -> tensor<1x2x6x1xf32>
    %33 = linalg.generic {indexing_maps = [#map13, #map15], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%30 : tensor<1x2x6x36xf32>) outs(%32 : tensor<1x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %45 = arith.addf %in, %out : f32
      linalg.yield %45 : f32
    } -> tensor<1x2x6x1xf32>
    %34 = linalg.generic {indexing_maps = [#map13, #map15, #map13], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%30, %33 : tensor<1x2x6x36xf32>, tensor<1x2x6x1xf32>) outs(%28 : tensor<1x2x6x36xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %45 = arith.divf %in, %in_31 : f32
      linalg.yield %45 : f32
    } -> tensor<1x2x6x36xf32>
    %expanded_19 = tensor.expand_shape %34 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 6, 6, 1] : tensor<1x2x6x36xf32> into tensor<1x2x6x6x6x1xf32>
    %expanded_20 = tensor.expand_shape %arg3 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %35 = tensor.empty() : tensor<1x2x1x4x6x1xf32>
    %transposed_21 = linalg.transpose ins(%expanded_20 : tensor<1x2x6x4x1x1xf32>) outs(%35 : tensor<1x2x1x4x6x1xf32>) permutation = [0, 1, 4, 3, 2, 5]
    %expanded_22 = tensor.expand_shape %arg4 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %36 = tensor.empty() : tensor<1x2x1x4x1x6xf32>
    %transposed_23 = linalg.transpose ins(%expanded_22 : tensor<1x2x6x4x1x1xf32>) outs(%36 : tensor<1x2x1x4x1x6xf32>) permutation = [0, 1, 4, 3, 5, 2]
    %37 = tensor.empty() : tensor<1x2x1x4x6x6xf32>
    %38 = linalg.generic {indexing_maps = [#map16, #map17, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed_21, %transposed_23 : tensor<1x2x1x4x6x1xf32>, tensor<1x2x1x4x1x6xf32>) outs(%37 : tensor<1x2x1x4x6x6xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %45 = arith.mulf %in, %in_31 : f32
      linalg.yield %45 : f32
    } -> tensor<1x2x1x4x6x6xf32>
    %39 = tensor.empty() : tensor<2x6x6x6x1x1xf32>
    %transposed_24 = linalg.transpose ins(%expanded_19 : tensor<1x2x6x6x6x1xf32>) outs(%39 : tensor<2x6x6x6x1x1xf32>) permutation = [1, 2, 3, 4, 0, 5]
    %collapsed_25 = tensor.collapse_shape %transposed_24 [[0], [1], [2, 3, 4, 5]] : tensor<2x6x6x6x1x1xf32> into tensor<2x6x36xf32>
    %40 = tensor.empty() : tensor<2x6x6x1x4x1xf32>
    %transposed_26 = linalg.transpose ins(%38 : tensor<1x2x1x4x6x6xf32>) outs(%40 : tensor<2x6x6x1x4x1xf32>) permutation = [1, 4, 5, 0, 3, 2]
    %collapsed_27 = tensor.collapse_shape %transposed_26 [[0], [1, 2], [3, 4, 5]] : tensor<2x6x6x1x4x1xf32> into tensor<2x36x4xf32>
    %41 = tensor.empty() : tensor<2x6x4xf32>
    %42 = linalg.fill ins(%cst : f32) outs(%41 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %43 = linalg.batch_matmul ins(%collapsed_25, %collapsed_27 : tensor<2x6x36xf32>, tensor<2x36x4xf32>) outs(%42 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %expanded_28 = tensor.expand_shape %43 [[0], [1], [2, 3, 4, 5]] output_shape [2, 6, 1, 1, 1, 4] : tensor<2x6x4xf32> into tensor<2x6x1x1x1x4xf32>
    %44 = tensor.empty() : tensor<1x2x6x4x1x1xf32>
    %transposed_29 = linalg.transpose ins(%expanded_28 : tensor<2x6x1x1x1x4xf32>) outs(%44 : tensor<1x2x6x4x1x1xf32>) permutation = [4, 0, 1, 5, 2, 3]
    %collapsed_30 = tensor.collapse_shape %transposed_29 [[0], [1], [2], [3, 4, 5]] : tensor<1x2x6x4x1x1xf32> into tensor<1x2x6x4xf32>
    return %collapsed_30 : tensor<1x2x6x4xf32>
  }
}
