// Two query heads share keys.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map2 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, 0, d4, d5)>
#map3 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, 0, d3, d4, d5)>
#map4 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map7 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map8 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, 0)>
#map9 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, 0, d5)>
module {
  func.func @main(%arg0: tensor<1x4x5x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x2x7x4xf32>, %arg3: tensor<1x2x6x3xf32>, %arg4: tensor<1x2x7x3xf32>) -> tensor<1x4x5x3xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<1x2x2x6x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg1 : tensor<1x2x6x4xf32>) outs(%0 : tensor<1x2x2x6x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x2x6x4xf32>
    %collapsed = tensor.collapse_shape %1 [[0], [1, 2], [3], [4]] : tensor<1x2x2x6x4xf32> into tensor<1x4x6x4xf32>
    %2 = tensor.empty() : tensor<1x2x2x7x4xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg2 : tensor<1x2x7x4xf32>) outs(%2 : tensor<1x2x2x7x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x2x7x4xf32>
    %collapsed_2 = tensor.collapse_shape %3 [[0], [1, 2], [3], [4]] : tensor<1x2x2x7x4xf32> into tensor<1x4x7x4xf32>
    %4 = tensor.empty() : tensor<1x2x2x6x3xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg3 : tensor<1x2x6x3xf32>) outs(%4 : tensor<1x2x2x6x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x2x6x3xf32>
    %collapsed_3 = tensor.collapse_shape %5 [[0], [1, 2], [3], [4]] : tensor<1x2x2x6x3xf32> into tensor<1x4x6x3xf32>
    %6 = tensor.empty() : tensor<1x2x2x7x3xf32>
    %7 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg4 : tensor<1x2x7x3xf32>) outs(%6 : tensor<1x2x2x7x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x2x7x3xf32>
    %collapsed_4 = tensor.collapse_shape %7 [[0], [1, 2], [3], [4]] : tensor<1x2x2x7x3xf32> into tensor<1x4x7x3xf32>
    %expanded = tensor.expand_shape %arg0 [[0], [1], [2], [3, 4, 5]] output_shape [1, 4, 5, 4, 1, 1] : tensor<1x4x5x4xf32> into tensor<1x4x5x4x1x1xf32>
    %8 = tensor.empty() : tensor<1x4x5x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<1x4x5x4x1x1xf32>) outs(%8 : tensor<1x4x5x1x1x4xf32>) permutation = [0, 1, 2, 4, 5, 3]
    %expanded_5 = tensor.expand_shape %collapsed [[0], [1], [2], [3, 4, 5]] output_shape [1, 4, 6, 4, 1, 1] : tensor<1x4x6x4xf32> into tensor<1x4x6x4x1x1xf32>
    %9 = tensor.empty() : tensor<1x4x1x6x1x4xf32>
    %transposed_6 = linalg.transpose ins(%expanded_5 : tensor<1x4x6x4x1x1xf32>) outs(%9 : tensor<1x4x1x6x1x4xf32>) permutation = [0, 1, 4, 2, 5, 3]
    %expanded_7 = tensor.expand_shape %collapsed_2 [[0], [1], [2], [3, 4, 5]] output_shape [1, 4, 7, 4, 1, 1] : tensor<1x4x7x4xf32> into tensor<1x4x7x4x1x1xf32>
    %10 = tensor.empty() : tensor<1x4x5x6x1x4xf32>
    %11 = linalg.generic {indexing_maps = [#map2, #map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_6 : tensor<1x4x5x1x1x4xf32>, tensor<1x4x1x6x1x4xf32>) outs(%10 : tensor<1x4x5x6x1x4xf32>) {
    ^bb0(%in: f32, %in_29: f32, %out: f32):
      %42 = arith.mulf %in, %in_29 : f32
      linalg.yield %42 : f32
    } -> tensor<1x4x5x6x1x4xf32>
    %12 = tensor.empty() : tensor<4x1x5x6x4x1xf32>
    %transposed_8 = linalg.transpose ins(%11 : tensor<1x4x5x6x1x4xf32>) outs(%12 : tensor<4x1x5x6x4x1xf32>) permutation = [1, 0, 2, 3, 5, 4]
    %collapsed_9 = tensor.collapse_shape %transposed_8 [[0], [1, 2, 3], [4, 5]] : tensor<4x1x5x6x4x1xf32> into tensor<4x30x4xf32>
    %13 = tensor.empty() : tensor<4x4x7x1x1x1xf32>
    %transposed_10 = linalg.transpose ins(%expanded_7 : tensor<1x4x7x4x1x1xf32>) outs(%13 : tensor<4x4x7x1x1x1xf32>) permutation = [1, 3, 2, 0, 4, 5]
    %collapsed_11 = tensor.collapse_shape %transposed_10 [[0], [1], [2, 3, 4, 5]] : tensor<4x4x7x1x1x1xf32> into tensor<4x4x7xf32>
    %14 = tensor.empty() : tensor<4x30x7xf32>
    %15 = linalg.fill ins(%cst : f32) outs(%14 : tensor<4x30x7xf32>) -> tensor<4x30x7xf32>
    %16 = linalg.batch_matmul ins(%collapsed_9, %collapsed_11 : tensor<4x30x4xf32>, tensor<4x4x7xf32>) outs(%15 : tensor<4x30x7xf32>) -> tensor<4x30x7xf32>
    %expanded_12 = tensor.expand_shape %16 [[0], [1, 2, 3], [4, 5]] output_shape [4, 1, 5, 6, 1, 7] : tensor<4x30x7xf32> into tensor<4x1x5x6x1x7xf32>
    %17 = tensor.empty() : tensor<1x4x5x6x7x1xf32>
    %transposed_13 = linalg.transpose ins(%expanded_12 : tensor<4x1x5x6x1x7xf32>) outs(%17 : tensor<1x4x5x6x7x1xf32>) permutation = [1, 0, 2, 3, 5, 4]
    %collapsed_14 = tensor.collapse_shape %transposed_13 [[0], [1], [2], [3], [4, 5]] : tensor<1x4x5x6x7x1xf32> into tensor<1x4x5x6x7xf32>
    %18 = tensor.empty() : tensor<1x4x5x6x7xf32>
    %19 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_14 : tensor<1x4x5x6x7xf32>) outs(%18 : tensor<1x4x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %42 = arith.mulf %in, %cst_1 : f32
      linalg.yield %42 : f32
    } -> tensor<1x4x5x6x7xf32>
    %collapsed_15 = tensor.collapse_shape %19 [[0], [1], [2], [3, 4]] : tensor<1x4x5x6x7xf32> into tensor<1x4x5x42xf32>
    %20 = tensor.empty() : tensor<1x4x5xi64>
    %21 = linalg.fill ins(%c0_i64 : i64) outs(%20 : tensor<1x4x5xi64>) -> tensor<1x4x5xi64>
    %22 = tensor.empty() : tensor<1x4x5xf32>
    %23 = linalg.fill ins(%cst_0 : f32) outs(%22 : tensor<1x4x5xf32>) -> tensor<1x4x5xf32>
    %24:2 = linalg.generic {indexing_maps = [#map5, #map6, #map6], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_15 : tensor<1x4x5x42xf32>) outs(%23, %21 : tensor<1x4x5xf32>, tensor<1x4x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_29: i64):
      %42 = linalg.index 3 : index
      %43 = arith.index_cast %42 : index to i64
      %44 = arith.maximumf %in, %out : f32
      %45 = arith.cmpf ogt, %in, %out : f32
      %46 = arith.select %45, %43, %out_29 : i64
      linalg.yield %44, %46 : f32, i64
    } -> (tensor<1x4x5xf32>, tensor<1x4x5xi64>)
    %expanded_16 = tensor.expand_shape %24#0 [[0], [1], [2, 3]] output_shape [1, 4, 5, 1] : tensor<1x4x5xf32> into tensor<1x4x5x1xf32>
    %25 = tensor.empty() : tensor<1x4x5x42xf32>
    %26 = linalg.generic {indexing_maps = [#map5, #map7, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_15, %expanded_16 : tensor<1x4x5x42xf32>, tensor<1x4x5x1xf32>) outs(%25 : tensor<1x4x5x42xf32>) {
    ^bb0(%in: f32, %in_29: f32, %out: f32):
      %42 = arith.subf %in, %in_29 : f32
      linalg.yield %42 : f32
    } -> tensor<1x4x5x42xf32>
    %27 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%26 : tensor<1x4x5x42xf32>) outs(%25 : tensor<1x4x5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %42 = math.exp %in : f32
      linalg.yield %42 : f32
    } -> tensor<1x4x5x42xf32>
    %28 = tensor.empty() : tensor<1x4x5x1xf32>
    %29 = linalg.fill ins(%cst : f32) outs(%28 : tensor<1x4x5x1xf32>) -> tensor<1x4x5x1xf32>
    %30 = linalg.generic {indexing_maps = [#map5, #map7], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%27 : tensor<1x4x5x42xf32>) outs(%29 : tensor<1x4x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %42 = arith.addf %in, %out : f32
      linalg.yield %42 : f32
    } -> tensor<1x4x5x1xf32>
    %31 = linalg.generic {indexing_maps = [#map5, #map7, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%27, %30 : tensor<1x4x5x42xf32>, tensor<1x4x5x1xf32>) outs(%25 : tensor<1x4x5x42xf32>) {
    ^bb0(%in: f32, %in_29: f32, %out: f32):
      %42 = arith.divf %in, %in_29 : f32
      linalg.yield %42 : f32
    } -> tensor<1x4x5x42xf32>
    %expanded_17 = tensor.expand_shape %31 [[0], [1], [2], [3, 4, 5]] output_shape [1, 4, 5, 6, 7, 1] : tensor<1x4x5x42xf32> into tensor<1x4x5x6x7x1xf32>
    %expanded_18 = tensor.expand_shape %collapsed_3 [[0], [1], [2], [3, 4, 5]] output_shape [1, 4, 6, 3, 1, 1] : tensor<1x4x6x3xf32> into tensor<1x4x6x3x1x1xf32>
    %32 = tensor.empty() : tensor<1x4x1x3x6x1xf32>
    %transposed_19 = linalg.transpose ins(%expanded_18 : tensor<1x4x6x3x1x1xf32>) outs(%32 : tensor<1x4x1x3x6x1xf32>) permutation = [0, 1, 4, 3, 2, 5]
    %expanded_20 = tensor.expand_shape %collapsed_4 [[0], [1], [2], [3, 4, 5]] output_shape [1, 4, 7, 3, 1, 1] : tensor<1x4x7x3xf32> into tensor<1x4x7x3x1x1xf32>
    %33 = tensor.empty() : tensor<1x4x1x3x1x7xf32>
    %transposed_21 = linalg.transpose ins(%expanded_20 : tensor<1x4x7x3x1x1xf32>) outs(%33 : tensor<1x4x1x3x1x7xf32>) permutation = [0, 1, 4, 3, 5, 2]
    %34 = tensor.empty() : tensor<1x4x1x3x6x7xf32>
    %35 = linalg.generic {indexing_maps = [#map8, #map9, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed_19, %transposed_21 : tensor<1x4x1x3x6x1xf32>, tensor<1x4x1x3x1x7xf32>) outs(%34 : tensor<1x4x1x3x6x7xf32>) {
    ^bb0(%in: f32, %in_29: f32, %out: f32):
      %42 = arith.mulf %in, %in_29 : f32
      linalg.yield %42 : f32
    } -> tensor<1x4x1x3x6x7xf32>
    %36 = tensor.empty() : tensor<4x5x6x7x1x1xf32>
    %transposed_22 = linalg.transpose ins(%expanded_17 : tensor<1x4x5x6x7x1xf32>) outs(%36 : tensor<4x5x6x7x1x1xf32>) permutation = [1, 2, 3, 4, 0, 5]
    %collapsed_23 = tensor.collapse_shape %transposed_22 [[0], [1], [2, 3, 4, 5]] : tensor<4x5x6x7x1x1xf32> into tensor<4x5x42xf32>
    %37 = tensor.empty() : tensor<4x6x7x1x3x1xf32>
    %transposed_24 = linalg.transpose ins(%35 : tensor<1x4x1x3x6x7xf32>) outs(%37 : tensor<4x6x7x1x3x1xf32>) permutation = [1, 4, 5, 0, 3, 2]
    %collapsed_25 = tensor.collapse_shape %transposed_24 [[0], [1, 2], [3, 4, 5]] : tensor<4x6x7x1x3x1xf32> into tensor<4x42x3xf32>
    %38 = tensor.empty() : tensor<4x5x3xf32>
    %39 = linalg.fill ins(%cst : f32) outs(%38 : tensor<4x5x3xf32>) -> tensor<4x5x3xf32>
    %40 = linalg.batch_matmul ins(%collapsed_23, %collapsed_25 : tensor<4x5x42xf32>, tensor<4x42x3xf32>) outs(%39 : tensor<4x5x3xf32>) -> tensor<4x5x3xf32>
    %expanded_26 = tensor.expand_shape %40 [[0], [1], [2, 3, 4, 5]] output_shape [4, 5, 1, 1, 1, 3] : tensor<4x5x3xf32> into tensor<4x5x1x1x1x3xf32>
    %41 = tensor.empty() : tensor<1x4x5x3x1x1xf32>
    %transposed_27 = linalg.transpose ins(%expanded_26 : tensor<4x5x1x1x1x3xf32>) outs(%41 : tensor<1x4x5x3x1x1xf32>) permutation = [4, 0, 1, 5, 2, 3]
    %collapsed_28 = tensor.collapse_shape %transposed_27 [[0], [1], [2], [3, 4, 5]] : tensor<1x4x5x3x1x1xf32> into tensor<1x4x5x3xf32>
    return %collapsed_28 : tensor<1x4x5x3xf32>
  }
}
