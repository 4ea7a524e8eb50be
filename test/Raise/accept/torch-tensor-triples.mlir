// Of order 4: triples of keys.
//
// ARGS: normal normal normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, 0, d2, d3, d4)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (0, d1, d2, d3, d4)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, 0, d4)>
#map4 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, 0, d3, d4)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map6 = affine_map<(d0, d1) -> (d0, d1)>
#map7 = affine_map<(d0, d1) -> (d0)>
#map8 = affine_map<(d0, d1) -> (d0, 0)>
module {
  func.func @main(%arg0: tensor<3x4xf32>, %arg1: tensor<4x4xf32>, %arg2: tensor<5x4xf32>, %arg3: tensor<2x4xf32>, %arg4: tensor<4x3xf32>, %arg5: tensor<5x3xf32>, %arg6: tensor<2x3xf32>) -> tensor<3x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1, 2, 3, 4]] output_shape [3, 4, 1, 1, 1] : tensor<3x4xf32> into tensor<3x4x1x1x1xf32>
    %0 = tensor.empty() : tensor<3x1x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<3x4x1x1x1xf32>) outs(%0 : tensor<3x1x1x1x4xf32>) permutation = [0, 2, 3, 4, 1]
    %expanded_2 = tensor.expand_shape %arg1 [[0], [1, 2, 3, 4]] output_shape [4, 4, 1, 1, 1] : tensor<4x4xf32> into tensor<4x4x1x1x1xf32>
    %1 = tensor.empty() : tensor<1x4x1x1x4xf32>
    %transposed_3 = linalg.transpose ins(%expanded_2 : tensor<4x4x1x1x1xf32>) outs(%1 : tensor<1x4x1x1x4xf32>) permutation = [2, 0, 3, 4, 1]
    %expanded_4 = tensor.expand_shape %arg2 [[0], [1, 2, 3, 4]] output_shape [5, 4, 1, 1, 1] : tensor<5x4xf32> into tensor<5x4x1x1x1xf32>
    %2 = tensor.empty() : tensor<1x1x5x1x4xf32>
    %transposed_5 = linalg.transpose ins(%expanded_4 : tensor<5x4x1x1x1xf32>) outs(%2 : tensor<1x1x5x1x4xf32>) permutation = [2, 3, 0, 4, 1]
    %expanded_6 = tensor.expand_shape %arg3 [[0], [1, 2, 3, 4]] output_shape [2, 4, 1, 1, 1] : tensor<2x4xf32> into tensor<2x4x1x1x1xf32>
    %3 = tensor.empty() : tensor<1x1x1x2x4xf32>
    %transposed_7 = linalg.transpose ins(%expanded_6 : tensor<2x4x1x1x1xf32>) outs(%3 : tensor<1x1x1x2x4xf32>) permutation = [2, 3, 4, 0, 1]
    %4 = tensor.empty() : tensor<3x4x1x1x4xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_3 : tensor<3x1x1x1x4xf32>, tensor<1x4x1x1x4xf32>) outs(%4 : tensor<3x4x1x1x4xf32>) {
    ^bb0(%in: f32, %in_41: f32, %out: f32):
      %43 = arith.mulf %in, %in_41 : f32
      linalg.yield %43 : f32
    } -> tensor<3x4x1x1x4xf32>
    %6 = tensor.empty() : tensor<1x1x5x2x4xf32>
    %7 = linalg.generic {indexing_maps = [#map3, #map4, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed_5, %transposed_7 : tensor<1x1x5x1x4xf32>, tensor<1x1x1x2x4xf32>) outs(%6 : tensor<1x1x5x2x4xf32>) {
    ^bb0(%in: f32, %in_41: f32, %out: f32):
      %43 = arith.mulf %in, %in_41 : f32
      linalg.yield %43 : f32
    } -> tensor<1x1x5x2x4xf32>
    %8 = tensor.empty() : tensor<3x4x4x1x1xf32>
    %transposed_8 = linalg.transpose ins(%5 : tensor<3x4x1x1x4xf32>) outs(%8 : tensor<3x4x4x1x1xf32>) permutation = [0, 1, 4, 2, 3]
    %collapsed = tensor.collapse_shape %transposed_8 [[0, 1], [2, 3, 4]] : tensor<3x4x4x1x1xf32> into tensor<12x4xf32>
    %expanded_9 = tensor.expand_shape %collapsed [[0, 1], [2]] output_shape [1, 12, 4] : tensor<12x4xf32> into tensor<1x12x4xf32>
    %9 = tensor.empty() : tensor<4x5x2x1x1xf32>
    %transposed_10 = linalg.transpose ins(%7 : tensor<1x1x5x2x4xf32>) outs(%9 : tensor<4x5x2x1x1xf32>) permutation = [4, 2, 3, 0, 1]
    %collapsed_11 = tensor.collapse_shape %transposed_10 [[0], [1, 2, 3, 4]] : tensor<4x5x2x1x1xf32> into tensor<4x10xf32>
    %expanded_12 = tensor.expand_shape %collapsed_11 [[0, 1], [2]] output_shape [1, 4, 10] : tensor<4x10xf32> into tensor<1x4x10xf32>
    %10 = tensor.empty() : tensor<1x12x10xf32>
    %11 = linalg.fill ins(%cst : f32) outs(%10 : tensor<1x12x10xf32>) -> tensor<1x12x10xf32>
    %12 = linalg.batch_matmul ins(%expanded_9, %expanded_12 : tensor<1x12x4xf32>, tensor<1x4x10xf32>) outs(%11 : tensor<1x12x10xf32>) -> tensor<1x12x10xf32>
    %collapsed_13 = tensor.collapse_shape %12 [[0, 1], [2]] : tensor<1x12x10xf32> into tensor<12x10xf32>
    %expanded_14 = tensor.expand_shape %collapsed_13 [[0, 1], [2, 3, 4]] output_shape [3, 4, 1, 5, 2] : tensor<12x10xf32> into tensor<3x4x1x5x2xf32>
    %13 = tensor.empty() : tensor<3x4x5x2x1xf32>
    %transposed_15 = linalg.transpose ins(%expanded_14 : tensor<3x4x1x5x2xf32>) outs(%13 : tensor<3x4x5x2x1xf32>) permutation = [0, 1, 3, 4, 2]
    %collapsed_16 = tensor.collapse_shape %transposed_15 [[0], [1], [2], [3, 4]] : tensor<3x4x5x2x1xf32> into tensor<3x4x5x2xf32>
    %14 = tensor.empty() : tensor<3x4x5x2xf32>
    %15 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_16 : tensor<3x4x5x2xf32>) outs(%14 : tensor<3x4x5x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %43 = arith.mulf %in, %cst_1 : f32
      linalg.yield %43 : f32
    } -> tensor<3x4x5x2xf32>
    %collapsed_17 = tensor.collapse_shape %15 [[0], [1, 2, 3]] : tensor<3x4x5x2xf32> into tensor<3x40xf32>
    %16 = tensor.empty() : tensor<3xi64>
    %17 = linalg.fill ins(%c0_i64 : i64) outs(%16 : tensor<3xi64>) -> tensor<3xi64>
    %18 = tensor.empty() : tensor<3xf32>
    %19 = linalg.fill ins(%cst_0 : f32) outs(%18 : tensor<3xf32>) -> tensor<3xf32>
    %20:2 = linalg.generic {indexing_maps = [#map6, #map7, #map7], iterator_types = ["parallel", "reduction"]} ins(%collapsed_17 : tensor<3x40xf32>) outs(%19, %17 : tensor<3xf32>, tensor<3xi64>) {
    ^bb0(%in: f32, %out: f32, %out_41: i64):
      %43 = linalg.index 1 : index
      %44 = arith.index_cast %43 : index to i64
      %45 = arith.maximumf %in, %out : f32
      %46 = arith.cmpf ogt, %in, %out : f32
      %47 = arith.select %46, %44, %out_41 : i64
      linalg.yield %45, %47 : f32, i64
    } -> (tensor<3xf32>, tensor<3xi64>)
    %expanded_18 = tensor.expand_shape %20#0 [[0, 1]] output_shape [3, 1] : tensor<3xf32> into tensor<3x1xf32>
    %21 = tensor.empty() : tensor<3x40xf32>
    %22 = linalg.generic {indexing_maps = [#map6, #map8, #map6], iterator_types = ["parallel", "parallel"]} ins(%collapsed_17, %expanded_18 : tensor<3x40xf32>, tensor<3x1xf32>) outs(%21 : tensor<3x40xf32>) {
    ^bb0(%in: f32, %in_41: f32, %out: f32):
      %43 = arith.subf %in, %in_41 : f32
      linalg.yield %43 : f32
    } -> tensor<3x40xf32>
    %23 = linalg.generic {indexing_maps = [#map6, #map6], iterator_types = ["parallel", "parallel"]} ins(%22 : tensor<3x40xf32>) outs(%21 : tensor<3x40xf32>) {
    ^bb0(%in: f32, %out: f32):
      %43 = math.exp %in : f32
      linalg.yield %43 : f32
    } -> tensor<3x40xf32>
    %24 = tensor.empty() : tensor<3x1xf32>
    %25 = linalg.fill ins(%cst : f32) outs(%24 : tensor<3x1xf32>) -> tensor<3x1xf32>
    %26 = linalg.generic {indexing_maps = [#map6, #map8], iterator_types = ["parallel", "reduction"]} ins(%23 : tensor<3x40xf32>) outs(%25 : tensor<3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %43 = arith.addf %in, %out : f32
      linalg.yield %43 : f32
    } -> tensor<3x1xf32>
    %27 = linalg.generic {indexing_maps = [#map6, #map8, #map6], iterator_types = ["parallel", "parallel"]} ins(%23, %26 : tensor<3x40xf32>, tensor<3x1xf32>) outs(%21 : tensor<3x40xf32>) {
    ^bb0(%in: f32, %in_41: f32, %out: f32):
      %43 = arith.divf %in, %in_41 : f32
      linalg.yield %43 : f32
    } -> tensor<3x40xf32>
    %expanded_19 = tensor.expand_shape %27 [[0], [1, 2, 3, 4]] output_shape [3, 4, 5, 2, 1] : tensor<3x40xf32> into tensor<3x4x5x2x1xf32>
    %expanded_20 = tensor.expand_shape %arg4 [[0], [1, 2, 3, 4]] output_shape [4, 3, 1, 1, 1] : tensor<4x3xf32> into tensor<4x3x1x1x1xf32>
    %28 = tensor.empty() : tensor<1x3x4x1x1xf32>
    %transposed_21 = linalg.transpose ins(%expanded_20 : tensor<4x3x1x1x1xf32>) outs(%28 : tensor<1x3x4x1x1xf32>) permutation = [2, 1, 0, 3, 4]
    %expanded_22 = tensor.expand_shape %arg5 [[0], [1, 2, 3, 4]] output_shape [5, 3, 1, 1, 1] : tensor<5x3xf32> into tensor<5x3x1x1x1xf32>
    %29 = tensor.empty() : tensor<1x3x1x5x1xf32>
    %transposed_23 = linalg.transpose ins(%expanded_22 : tensor<5x3x1x1x1xf32>) outs(%29 : tensor<1x3x1x5x1xf32>) permutation = [2, 1, 3, 0, 4]
    %expanded_24 = tensor.expand_shape %arg6 [[0], [1, 2, 3, 4]] output_shape [2, 3, 1, 1, 1] : tensor<2x3xf32> into tensor<2x3x1x1x1xf32>
    %30 = tensor.empty() : tensor<1x3x4x5x1xf32>
    %31 = linalg.generic {indexing_maps = [#map3, #map4, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed_21, %transposed_23 : tensor<1x3x4x1x1xf32>, tensor<1x3x1x5x1xf32>) outs(%30 : tensor<1x3x4x5x1xf32>) {
    ^bb0(%in: f32, %in_41: f32, %out: f32):
      %43 = arith.mulf %in, %in_41 : f32
      linalg.yield %43 : f32
    } -> tensor<1x3x4x5x1xf32>
    %32 = tensor.empty() : tensor<3x2x4x5x1xf32>
    %transposed_25 = linalg.transpose ins(%expanded_19 : tensor<3x4x5x2x1xf32>) outs(%32 : tensor<3x2x4x5x1xf32>) permutation = [0, 3, 1, 2, 4]
    %collapsed_26 = tensor.collapse_shape %transposed_25 [[0, 1], [2, 3, 4]] : tensor<3x2x4x5x1xf32> into tensor<6x20xf32>
    %expanded_27 = tensor.expand_shape %collapsed_26 [[0, 1], [2]] output_shape [1, 6, 20] : tensor<6x20xf32> into tensor<1x6x20xf32>
    %33 = tensor.empty() : tensor<4x5x3x1x1xf32>
    %transposed_28 = linalg.transpose ins(%31 : tensor<1x3x4x5x1xf32>) outs(%33 : tensor<4x5x3x1x1xf32>) permutation = [2, 3, 1, 0, 4]
    %collapsed_29 = tensor.collapse_shape %transposed_28 [[0, 1], [2, 3, 4]] : tensor<4x5x3x1x1xf32> into tensor<20x3xf32>
    %expanded_30 = tensor.expand_shape %collapsed_29 [[0, 1], [2]] output_shape [1, 20, 3] : tensor<20x3xf32> into tensor<1x20x3xf32>
    %34 = tensor.empty() : tensor<1x6x3xf32>
    %35 = linalg.fill ins(%cst : f32) outs(%34 : tensor<1x6x3xf32>) -> tensor<1x6x3xf32>
    %36 = linalg.batch_matmul ins(%expanded_27, %expanded_30 : tensor<1x6x20xf32>, tensor<1x20x3xf32>) outs(%35 : tensor<1x6x3xf32>) -> tensor<1x6x3xf32>
    %collapsed_31 = tensor.collapse_shape %36 [[0, 1], [2]] : tensor<1x6x3xf32> into tensor<6x3xf32>
    %expanded_32 = tensor.expand_shape %collapsed_31 [[0, 1], [2, 3, 4]] output_shape [3, 2, 1, 1, 3] : tensor<6x3xf32> into tensor<3x2x1x1x3xf32>
    %37 = tensor.empty() : tensor<3x2x1x1x1xf32>
    %transposed_33 = linalg.transpose ins(%expanded_24 : tensor<2x3x1x1x1xf32>) outs(%37 : tensor<3x2x1x1x1xf32>) permutation = [1, 0, 2, 3, 4]
    %collapsed_34 = tensor.collapse_shape %transposed_33 [[0], [1, 2, 3, 4]] : tensor<3x2x1x1x1xf32> into tensor<3x2xf32>
    %expanded_35 = tensor.expand_shape %collapsed_34 [[0], [1, 2]] output_shape [3, 1, 2] : tensor<3x2xf32> into tensor<3x1x2xf32>
    %38 = tensor.empty() : tensor<3x2x3x1x1xf32>
    %transposed_36 = linalg.transpose ins(%expanded_32 : tensor<3x2x1x1x3xf32>) outs(%38 : tensor<3x2x3x1x1xf32>) permutation = [4, 1, 0, 2, 3]
    %collapsed_37 = tensor.collapse_shape %transposed_36 [[0], [1], [2, 3, 4]] : tensor<3x2x3x1x1xf32> into tensor<3x2x3xf32>
    %39 = tensor.empty() : tensor<3x1x3xf32>
    %40 = linalg.fill ins(%cst : f32) outs(%39 : tensor<3x1x3xf32>) -> tensor<3x1x3xf32>
    %41 = linalg.batch_matmul ins(%expanded_35, %collapsed_37 : tensor<3x1x2xf32>, tensor<3x2x3xf32>) outs(%40 : tensor<3x1x3xf32>) -> tensor<3x1x3xf32>
    %expanded_38 = tensor.expand_shape %41 [[0], [1], [2, 3, 4]] output_shape [3, 1, 3, 1, 1] : tensor<3x1x3xf32> into tensor<3x1x3x1x1xf32>
    %42 = tensor.empty() : tensor<3x3x1x1x1xf32>
    %transposed_39 = linalg.transpose ins(%expanded_38 : tensor<3x1x3x1x1xf32>) outs(%42 : tensor<3x3x1x1x1xf32>) permutation = [2, 0, 3, 4, 1]
    %collapsed_40 = tensor.collapse_shape %transposed_39 [[0], [1, 2, 3, 4]] : tensor<3x3x1x1x1xf32> into tensor<3x3xf32>
    return %collapsed_40 : tensor<3x3xf32>
  }
}
