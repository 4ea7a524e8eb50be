// GPT-OSS: sinks.
//
// ARGS: normal normal normal small small small small small small small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d1)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map4 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
#map5 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#map7 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x6x8xf32>, %arg1: tensor<1x6x2xf32>, %arg2: tensor<1x6x2xf32>, %arg3: tensor<2xf32>, %arg4: tensor<8x8xf32>, %arg5: tensor<8xf32>, %arg6: tensor<4x8xf32>, %arg7: tensor<4xf32>, %arg8: tensor<4x8xf32>, %arg9: tensor<4xf32>, %arg10: tensor<8x8xf32>, %arg11: tensor<8xf32>) -> tensor<1x6x8xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2]] : tensor<1x6x8xf32> into tensor<6x8xf32>
    %0 = tensor.empty() : tensor<8x8xf32>
    %transposed = linalg.transpose ins(%arg4 : tensor<8x8xf32>) outs(%0 : tensor<8x8xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<6x8xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %3 = linalg.matmul ins(%collapsed, %transposed : tensor<6x8xf32>, tensor<8x8xf32>) outs(%2 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%3, %arg5 : tensor<6x8xf32>, tensor<8xf32>) outs(%1 : tensor<6x8xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.addf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<6x8xf32>
    %expanded = tensor.expand_shape %4 [[0, 1], [2, 3]] output_shape [1, 6, 2, 4] : tensor<6x8xf32> into tensor<1x6x2x4xf32>
    %5 = tensor.empty() : tensor<1x2x6x4xf32>
    %transposed_2 = linalg.transpose ins(%expanded : tensor<1x6x2x4xf32>) outs(%5 : tensor<1x2x6x4xf32>) permutation = [0, 2, 1, 3]
    %6 = tensor.empty() : tensor<8x4xf32>
    %transposed_3 = linalg.transpose ins(%arg6 : tensor<4x8xf32>) outs(%6 : tensor<8x4xf32>) permutation = [1, 0]
    %7 = tensor.empty() : tensor<6x4xf32>
    %8 = linalg.fill ins(%cst : f32) outs(%7 : tensor<6x4xf32>) -> tensor<6x4xf32>
    %9 = linalg.matmul ins(%collapsed, %transposed_3 : tensor<6x8xf32>, tensor<8x4xf32>) outs(%8 : tensor<6x4xf32>) -> tensor<6x4xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%9, %arg7 : tensor<6x4xf32>, tensor<4xf32>) outs(%7 : tensor<6x4xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.addf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<6x4xf32>
    %expanded_4 = tensor.expand_shape %10 [[0, 1], [2, 3]] output_shape [1, 6, 1, 4] : tensor<6x4xf32> into tensor<1x6x1x4xf32>
    %11 = tensor.empty() : tensor<1x1x6x4xf32>
    %transposed_5 = linalg.transpose ins(%expanded_4 : tensor<1x6x1x4xf32>) outs(%11 : tensor<1x1x6x4xf32>) permutation = [0, 2, 1, 3]
    %transposed_6 = linalg.transpose ins(%arg8 : tensor<4x8xf32>) outs(%6 : tensor<8x4xf32>) permutation = [1, 0]
    %12 = linalg.matmul ins(%collapsed, %transposed_6 : tensor<6x8xf32>, tensor<8x4xf32>) outs(%8 : tensor<6x4xf32>) -> tensor<6x4xf32>
    %13 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%12, %arg9 : tensor<6x4xf32>, tensor<4xf32>) outs(%7 : tensor<6x4xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.addf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<6x4xf32>
    %expanded_7 = tensor.expand_shape %13 [[0, 1], [2, 3]] output_shape [1, 6, 1, 4] : tensor<6x4xf32> into tensor<1x6x1x4xf32>
    %transposed_8 = linalg.transpose ins(%expanded_7 : tensor<1x6x1x4xf32>) outs(%11 : tensor<1x1x6x4xf32>) permutation = [0, 2, 1, 3]
    %expanded_9 = tensor.expand_shape %arg1 [[0], [1, 2], [3]] output_shape [1, 1, 6, 2] : tensor<1x6x2xf32> into tensor<1x1x6x2xf32>
    %expanded_10 = tensor.expand_shape %arg2 [[0], [1, 2], [3]] output_shape [1, 1, 6, 2] : tensor<1x6x2xf32> into tensor<1x1x6x2xf32>
    %extracted_slice = tensor.extract_slice %transposed_2[0, 0, 0, 0] [1, 2, 6, 2] [1, 1, 1, 1] : tensor<1x2x6x4xf32> to tensor<1x2x6x2xf32>
    %extracted_slice_11 = tensor.extract_slice %transposed_2[0, 0, 0, 2] [1, 2, 6, 2] [1, 1, 1, 1] : tensor<1x2x6x4xf32> to tensor<1x2x6x2xf32>
    %14 = tensor.empty() : tensor<1x2x6x2xf32>
    %15 = linalg.generic {indexing_maps = [#map2, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice, %expanded_9 : tensor<1x2x6x2xf32>, tensor<1x1x6x2xf32>) outs(%14 : tensor<1x2x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.mulf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x2xf32>
    %16 = linalg.generic {indexing_maps = [#map2, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_11, %expanded_10 : tensor<1x2x6x2xf32>, tensor<1x1x6x2xf32>) outs(%14 : tensor<1x2x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.mulf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x2xf32>
    %17 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%15, %16 : tensor<1x2x6x2xf32>, tensor<1x2x6x2xf32>) outs(%14 : tensor<1x2x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.subf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x2xf32>
    %18 = linalg.generic {indexing_maps = [#map2, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_11, %expanded_9 : tensor<1x2x6x2xf32>, tensor<1x1x6x2xf32>) outs(%14 : tensor<1x2x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.mulf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x2xf32>
    %19 = linalg.generic {indexing_maps = [#map2, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice, %expanded_10 : tensor<1x2x6x2xf32>, tensor<1x1x6x2xf32>) outs(%14 : tensor<1x2x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.mulf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x2xf32>
    %20 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%18, %19 : tensor<1x2x6x2xf32>, tensor<1x2x6x2xf32>) outs(%14 : tensor<1x2x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.addf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x2xf32>
    %concat = tensor.concat dim(3) %17, %20 : (tensor<1x2x6x2xf32>, tensor<1x2x6x2xf32>) -> tensor<1x2x6x4xf32>
    %extracted_slice_12 = tensor.extract_slice %transposed_5[0, 0, 0, 0] [1, 1, 6, 2] [1, 1, 1, 1] : tensor<1x1x6x4xf32> to tensor<1x1x6x2xf32>
    %extracted_slice_13 = tensor.extract_slice %transposed_5[0, 0, 0, 2] [1, 1, 6, 2] [1, 1, 1, 1] : tensor<1x1x6x4xf32> to tensor<1x1x6x2xf32>
    %21 = tensor.empty() : tensor<1x1x6x2xf32>
    %22 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_12, %expanded_9 : tensor<1x1x6x2xf32>, tensor<1x1x6x2xf32>) outs(%21 : tensor<1x1x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.mulf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x1x6x2xf32>
    %23 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_13, %expanded_10 : tensor<1x1x6x2xf32>, tensor<1x1x6x2xf32>) outs(%21 : tensor<1x1x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.mulf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x1x6x2xf32>
    %24 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%22, %23 : tensor<1x1x6x2xf32>, tensor<1x1x6x2xf32>) outs(%21 : tensor<1x1x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.subf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x1x6x2xf32>
    %25 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_13, %expanded_9 : tensor<1x1x6x2xf32>, tensor<1x1x6x2xf32>) outs(%21 : tensor<1x1x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.mulf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x1x6x2xf32>
    %26 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_12, %expanded_10 : tensor<1x1x6x2xf32>, tensor<1x1x6x2xf32>) outs(%21 : tensor<1x1x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.mulf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x1x6x2xf32>
    %27 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25, %26 : tensor<1x1x6x2xf32>, tensor<1x1x6x2xf32>) outs(%21 : tensor<1x1x6x2xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.addf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x1x6x2xf32>
    %concat_14 = tensor.concat dim(3) %24, %27 : (tensor<1x1x6x2xf32>, tensor<1x1x6x2xf32>) -> tensor<1x1x6x4xf32>
    %28 = tensor.empty() : tensor<1x1x2x6x4xf32>
    %29 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%concat_14 : tensor<1x1x6x4xf32>) outs(%28 : tensor<1x1x2x6x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x1x2x6x4xf32>
    %collapsed_15 = tensor.collapse_shape %29 [[0], [1, 2], [3], [4]] : tensor<1x1x2x6x4xf32> into tensor<1x2x6x4xf32>
    %30 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed_8 : tensor<1x1x6x4xf32>) outs(%28 : tensor<1x1x2x6x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x1x2x6x4xf32>
    %31 = tensor.empty() : tensor<1x2x4x6xf32>
    %transposed_16 = linalg.transpose ins(%collapsed_15 : tensor<1x2x6x4xf32>) outs(%31 : tensor<1x2x4x6xf32>) permutation = [0, 1, 3, 2]
    %collapsed_17 = tensor.collapse_shape %concat [[0, 1], [2], [3]] : tensor<1x2x6x4xf32> into tensor<2x6x4xf32>
    %collapsed_18 = tensor.collapse_shape %transposed_16 [[0, 1], [2], [3]] : tensor<1x2x4x6xf32> into tensor<2x4x6xf32>
    %32 = tensor.empty() : tensor<2x6x6xf32>
    %33 = linalg.fill ins(%cst : f32) outs(%32 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %34 = linalg.batch_matmul ins(%collapsed_17, %collapsed_18 : tensor<2x6x4xf32>, tensor<2x4x6xf32>) outs(%33 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %expanded_19 = tensor.expand_shape %34 [[0, 1], [2], [3]] output_shape [1, 2, 6, 6] : tensor<2x6x6xf32> into tensor<1x2x6x6xf32>
    %35 = tensor.empty() : tensor<1x2x6x6xf32>
    %36 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_19 : tensor<1x2x6x6xf32>) outs(%35 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %58 = arith.mulf %in, %cst_1 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x6xf32>
    %37 = tensor.empty() : tensor<1x2x6x1xf32>
    %expanded_20 = tensor.expand_shape %arg3 [[0, 1, 2]] output_shape [1, 2, 1] : tensor<2xf32> into tensor<1x2x1xf32>
    %38 = linalg.generic {indexing_maps = [#map6, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_20 : tensor<1x2x1xf32>) outs(%37 : tensor<1x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x1xf32>
    %concat_21 = tensor.concat dim(3) %36, %38 : (tensor<1x2x6x6xf32>, tensor<1x2x6x1xf32>) -> tensor<1x2x6x7xf32>
    %39 = tensor.empty() : tensor<1x2x6xi64>
    %40 = linalg.fill ins(%c0_i64 : i64) outs(%39 : tensor<1x2x6xi64>) -> tensor<1x2x6xi64>
    %41 = tensor.empty() : tensor<1x2x6xf32>
    %42 = linalg.fill ins(%cst_0 : f32) outs(%41 : tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
    %43:2 = linalg.generic {indexing_maps = [#map2, #map7, #map7], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%concat_21 : tensor<1x2x6x7xf32>) outs(%42, %40 : tensor<1x2x6xf32>, tensor<1x2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_32: i64):
      %58 = linalg.index 3 : index
      %59 = arith.index_cast %58 : index to i64
      %60 = arith.maximumf %in, %out : f32
      %61 = arith.cmpf ogt, %in, %out : f32
      %62 = arith.select %61, %59, %out_32 : i64
      linalg.yield %60, %62 : f32, i64
    } -> (tensor<1x2x6xf32>, tensor<1x2x6xi64>)
    %expanded_22 = tensor.expand_shape %43#0 [[0], [1], [2, 3]] output_shape [1, 2, 6, 1] : tensor<1x2x6xf32> into tensor<1x2x6x1xf32>
    %44 = tensor.empty() : tensor<1x2x6x7xf32>
    %45 = linalg.generic {indexing_maps = [#map2, #map8, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%concat_21, %expanded_22 : tensor<1x2x6x7xf32>, tensor<1x2x6x1xf32>) outs(%44 : tensor<1x2x6x7xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.subf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x7xf32>
    %46:2 = linalg.generic {indexing_maps = [#map2, #map7, #map7], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%45 : tensor<1x2x6x7xf32>) outs(%42, %40 : tensor<1x2x6xf32>, tensor<1x2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_32: i64):
      %58 = linalg.index 3 : index
      %59 = arith.index_cast %58 : index to i64
      %60 = arith.maximumf %in, %out : f32
      %61 = arith.cmpf ogt, %in, %out : f32
      %62 = arith.select %61, %59, %out_32 : i64
      linalg.yield %60, %62 : f32, i64
    } -> (tensor<1x2x6xf32>, tensor<1x2x6xi64>)
    %expanded_23 = tensor.expand_shape %46#0 [[0], [1], [2, 3]] output_shape [1, 2, 6, 1] : tensor<1x2x6xf32> into tensor<1x2x6x1xf32>
    %47 = linalg.generic {indexing_maps = [#map2, #map8, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%45, %expanded_23 : tensor<1x2x6x7xf32>, tensor<1x2x6x1xf32>) outs(%44 : tensor<1x2x6x7xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.subf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x7xf32>
    %48 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%47 : tensor<1x2x6x7xf32>) outs(%44 : tensor<1x2x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %58 = math.exp %in : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x7xf32>
    %49 = linalg.fill ins(%cst : f32) outs(%37 : tensor<1x2x6x1xf32>) -> tensor<1x2x6x1xf32>
    %50 = linalg.generic {indexing_maps = [#map2, #map8], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%48 : tensor<1x2x6x7xf32>) outs(%49 : tensor<1x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %58 = arith.addf %in, %out : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x1xf32>
    %51 = linalg.generic {indexing_maps = [#map2, #map8, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%48, %50 : tensor<1x2x6x7xf32>, tensor<1x2x6x1xf32>) outs(%44 : tensor<1x2x6x7xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.divf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<1x2x6x7xf32>
    %extracted_slice_24 = tensor.extract_slice %51[0, 0, 0, 0] [1, 2, 6, 6] [1, 1, 1, 1] : tensor<1x2x6x7xf32> to tensor<1x2x6x6xf32>
    %collapsed_25 = tensor.collapse_shape %extracted_slice_24 [[0, 1], [2], [3]] : tensor<1x2x6x6xf32> into tensor<2x6x6xf32>
    %collapsed_26 = tensor.collapse_shape %30 [[0, 1, 2], [3], [4]] : tensor<1x1x2x6x4xf32> into tensor<2x6x4xf32>
    %52 = tensor.empty() : tensor<2x6x4xf32>
    %53 = linalg.fill ins(%cst : f32) outs(%52 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %54 = linalg.batch_matmul ins(%collapsed_25, %collapsed_26 : tensor<2x6x6xf32>, tensor<2x6x4xf32>) outs(%53 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %expanded_27 = tensor.expand_shape %54 [[0, 1], [2], [3]] output_shape [1, 2, 6, 4] : tensor<2x6x4xf32> into tensor<1x2x6x4xf32>
    %55 = tensor.empty() : tensor<1x6x2x4xf32>
    %transposed_28 = linalg.transpose ins(%expanded_27 : tensor<1x2x6x4xf32>) outs(%55 : tensor<1x6x2x4xf32>) permutation = [0, 2, 1, 3]
    %collapsed_29 = tensor.collapse_shape %transposed_28 [[0, 1], [2, 3]] : tensor<1x6x2x4xf32> into tensor<6x8xf32>
    %transposed_30 = linalg.transpose ins(%arg10 : tensor<8x8xf32>) outs(%0 : tensor<8x8xf32>) permutation = [1, 0]
    %56 = linalg.matmul ins(%collapsed_29, %transposed_30 : tensor<6x8xf32>, tensor<8x8xf32>) outs(%2 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %57 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%56, %arg11 : tensor<6x8xf32>, tensor<8xf32>) outs(%1 : tensor<6x8xf32>) {
    ^bb0(%in: f32, %in_32: f32, %out: f32):
      %58 = arith.addf %in, %in_32 : f32
      linalg.yield %58 : f32
    } -> tensor<6x8xf32>
    %expanded_31 = tensor.expand_shape %57 [[0, 1], [2]] output_shape [1, 6, 8] : tensor<6x8xf32> into tensor<1x6x8xf32>
    return %expanded_31 : tensor<1x6x8xf32>
  }
}
