// Keys are multiplied by one vector for all.
//
// ARGS: normal normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d1)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map3 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1) -> (d0)>
#map7 = affine_map<(d0, d1) -> (d0, 0)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map9 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<7x4xf32>, %arg3: tensor<6x3xf32>, %arg4: tensor<7x3xf32>, %arg5: tensor<4xf32>) -> tensor<5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<6x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%arg1, %arg5 : tensor<6x4xf32>, tensor<4xf32>) outs(%0 : tensor<6x4xf32>) {
    ^bb0(%in: f32, %in_28: f32, %out: f32):
      %35 = arith.mulf %in, %in_28 : f32
      linalg.yield %35 : f32
    } -> tensor<6x4xf32>
    %expanded = tensor.expand_shape %arg0 [[0], [1, 2, 3]] output_shape [5, 4, 1, 1] : tensor<5x4xf32> into tensor<5x4x1x1xf32>
    %2 = tensor.empty() : tensor<5x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<5x4x1x1xf32>) outs(%2 : tensor<5x1x1x4xf32>) permutation = [0, 2, 3, 1]
    %expanded_2 = tensor.expand_shape %1 [[0], [1, 2, 3]] output_shape [6, 4, 1, 1] : tensor<6x4xf32> into tensor<6x4x1x1xf32>
    %3 = tensor.empty() : tensor<1x6x1x4xf32>
    %transposed_3 = linalg.transpose ins(%expanded_2 : tensor<6x4x1x1xf32>) outs(%3 : tensor<1x6x1x4xf32>) permutation = [2, 0, 3, 1]
    %expanded_4 = tensor.expand_shape %arg2 [[0], [1, 2, 3]] output_shape [7, 4, 1, 1] : tensor<7x4xf32> into tensor<7x4x1x1xf32>
    %4 = tensor.empty() : tensor<5x6x1x4xf32>
    %5 = linalg.generic {indexing_maps = [#map2, #map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_3 : tensor<5x1x1x4xf32>, tensor<1x6x1x4xf32>) outs(%4 : tensor<5x6x1x4xf32>) {
    ^bb0(%in: f32, %in_28: f32, %out: f32):
      %35 = arith.mulf %in, %in_28 : f32
      linalg.yield %35 : f32
    } -> tensor<5x6x1x4xf32>
    %6 = tensor.empty() : tensor<5x6x4x1xf32>
    %transposed_5 = linalg.transpose ins(%5 : tensor<5x6x1x4xf32>) outs(%6 : tensor<5x6x4x1xf32>) permutation = [0, 1, 3, 2]
    %collapsed = tensor.collapse_shape %transposed_5 [[0, 1], [2, 3]] : tensor<5x6x4x1xf32> into tensor<30x4xf32>
    %expanded_6 = tensor.expand_shape %collapsed [[0, 1], [2]] output_shape [1, 30, 4] : tensor<30x4xf32> into tensor<1x30x4xf32>
    %7 = tensor.empty() : tensor<4x7x1x1xf32>
    %transposed_7 = linalg.transpose ins(%expanded_4 : tensor<7x4x1x1xf32>) outs(%7 : tensor<4x7x1x1xf32>) permutation = [1, 0, 2, 3]
    %collapsed_8 = tensor.collapse_shape %transposed_7 [[0], [1, 2, 3]] : tensor<4x7x1x1xf32> into tensor<4x7xf32>
    %expanded_9 = tensor.expand_shape %collapsed_8 [[0, 1], [2]] output_shape [1, 4, 7] : tensor<4x7xf32> into tensor<1x4x7xf32>
    %8 = tensor.empty() : tensor<1x30x7xf32>
    %9 = linalg.fill ins(%cst : f32) outs(%8 : tensor<1x30x7xf32>) -> tensor<1x30x7xf32>
    %10 = linalg.batch_matmul ins(%expanded_6, %expanded_9 : tensor<1x30x4xf32>, tensor<1x4x7xf32>) outs(%9 : tensor<1x30x7xf32>) -> tensor<1x30x7xf32>
    %collapsed_10 = tensor.collapse_shape %10 [[0, 1], [2]] : tensor<1x30x7xf32> into tensor<30x7xf32>
    %expanded_11 = tensor.expand_shape %collapsed_10 [[0, 1], [2, 3]] output_shape [5, 6, 1, 7] : tensor<30x7xf32> into tensor<5x6x1x7xf32>
    %11 = tensor.empty() : tensor<5x6x7x1xf32>
    %transposed_12 = linalg.transpose ins(%expanded_11 : tensor<5x6x1x7xf32>) outs(%11 : tensor<5x6x7x1xf32>) permutation = [0, 1, 3, 2]
    %collapsed_13 = tensor.collapse_shape %transposed_12 [[0], [1], [2, 3]] : tensor<5x6x7x1xf32> into tensor<5x6x7xf32>
    %12 = tensor.empty() : tensor<5x6x7xf32>
    %13 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_13 : tensor<5x6x7xf32>) outs(%12 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %35 = arith.mulf %in, %cst_1 : f32
      linalg.yield %35 : f32
    } -> tensor<5x6x7xf32>
    %collapsed_14 = tensor.collapse_shape %13 [[0], [1, 2]] : tensor<5x6x7xf32> into tensor<5x42xf32>
    %14 = tensor.empty() : tensor<5xi64>
    %15 = linalg.fill ins(%c0_i64 : i64) outs(%14 : tensor<5xi64>) -> tensor<5xi64>
    %16 = tensor.empty() : tensor<5xf32>
    %17 = linalg.fill ins(%cst_0 : f32) outs(%16 : tensor<5xf32>) -> tensor<5xf32>
    %18:2 = linalg.generic {indexing_maps = [#map, #map6, #map6], iterator_types = ["parallel", "reduction"]} ins(%collapsed_14 : tensor<5x42xf32>) outs(%17, %15 : tensor<5xf32>, tensor<5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_28: i64):
      %35 = linalg.index 1 : index
      %36 = arith.index_cast %35 : index to i64
      %37 = arith.maximumf %in, %out : f32
      %38 = arith.cmpf ogt, %in, %out : f32
      %39 = arith.select %38, %36, %out_28 : i64
      linalg.yield %37, %39 : f32, i64
    } -> (tensor<5xf32>, tensor<5xi64>)
    %expanded_15 = tensor.expand_shape %18#0 [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
    %19 = tensor.empty() : tensor<5x42xf32>
    %20 = linalg.generic {indexing_maps = [#map, #map7, #map], iterator_types = ["parallel", "parallel"]} ins(%collapsed_14, %expanded_15 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%19 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_28: f32, %out: f32):
      %35 = arith.subf %in, %in_28 : f32
      linalg.yield %35 : f32
    } -> tensor<5x42xf32>
    %21 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%20 : tensor<5x42xf32>) outs(%19 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %35 = math.exp %in : f32
      linalg.yield %35 : f32
    } -> tensor<5x42xf32>
    %22 = tensor.empty() : tensor<5x1xf32>
    %23 = linalg.fill ins(%cst : f32) outs(%22 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %24 = linalg.generic {indexing_maps = [#map, #map7], iterator_types = ["parallel", "reduction"]} ins(%21 : tensor<5x42xf32>) outs(%23 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %35 = arith.addf %in, %out : f32
      linalg.yield %35 : f32
    } -> tensor<5x1xf32>
    %25 = linalg.generic {indexing_maps = [#map, #map7, #map], iterator_types = ["parallel", "parallel"]} ins(%21, %24 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%19 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_28: f32, %out: f32):
      %35 = arith.divf %in, %in_28 : f32
      linalg.yield %35 : f32
    } -> tensor<5x42xf32>
    %expanded_16 = tensor.expand_shape %arg3 [[0], [1, 2, 3]] output_shape [6, 3, 1, 1] : tensor<6x3xf32> into tensor<6x3x1x1xf32>
    %26 = tensor.empty() : tensor<1x3x6x1xf32>
    %transposed_17 = linalg.transpose ins(%expanded_16 : tensor<6x3x1x1xf32>) outs(%26 : tensor<1x3x6x1xf32>) permutation = [2, 1, 0, 3]
    %expanded_18 = tensor.expand_shape %arg4 [[0], [1, 2, 3]] output_shape [7, 3, 1, 1] : tensor<7x3xf32> into tensor<7x3x1x1xf32>
    %27 = tensor.empty() : tensor<1x3x1x7xf32>
    %transposed_19 = linalg.transpose ins(%expanded_18 : tensor<7x3x1x1xf32>) outs(%27 : tensor<1x3x1x7xf32>) permutation = [2, 1, 3, 0]
    %28 = tensor.empty() : tensor<1x3x6x7xf32>
    %29 = linalg.generic {indexing_maps = [#map8, #map9, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_17, %transposed_19 : tensor<1x3x6x1xf32>, tensor<1x3x1x7xf32>) outs(%28 : tensor<1x3x6x7xf32>) {
    ^bb0(%in: f32, %in_28: f32, %out: f32):
      %35 = arith.mulf %in, %in_28 : f32
      linalg.yield %35 : f32
    } -> tensor<1x3x6x7xf32>
    %expanded_20 = tensor.expand_shape %25 [[0, 1], [2]] output_shape [1, 5, 42] : tensor<5x42xf32> into tensor<1x5x42xf32>
    %30 = tensor.empty() : tensor<6x7x3x1xf32>
    %transposed_21 = linalg.transpose ins(%29 : tensor<1x3x6x7xf32>) outs(%30 : tensor<6x7x3x1xf32>) permutation = [2, 3, 1, 0]
    %collapsed_22 = tensor.collapse_shape %transposed_21 [[0, 1], [2, 3]] : tensor<6x7x3x1xf32> into tensor<42x3xf32>
    %expanded_23 = tensor.expand_shape %collapsed_22 [[0, 1], [2]] output_shape [1, 42, 3] : tensor<42x3xf32> into tensor<1x42x3xf32>
    %31 = tensor.empty() : tensor<1x5x3xf32>
    %32 = linalg.fill ins(%cst : f32) outs(%31 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %33 = linalg.batch_matmul ins(%expanded_20, %expanded_23 : tensor<1x5x42xf32>, tensor<1x42x3xf32>) outs(%32 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %collapsed_24 = tensor.collapse_shape %33 [[0, 1], [2]] : tensor<1x5x3xf32> into tensor<5x3xf32>
    %expanded_25 = tensor.expand_shape %collapsed_24 [[0], [1, 2, 3]] output_shape [5, 1, 1, 3] : tensor<5x3xf32> into tensor<5x1x1x3xf32>
    %34 = tensor.empty() : tensor<5x3x1x1xf32>
    %transposed_26 = linalg.transpose ins(%expanded_25 : tensor<5x1x1x3xf32>) outs(%34 : tensor<5x3x1x1xf32>) permutation = [0, 3, 1, 2]
    %collapsed_27 = tensor.collapse_shape %transposed_26 [[0], [1, 2, 3]] : tensor<5x3x1x1xf32> into tensor<5x3xf32>
    return %collapsed_27 : tensor<5x3xf32>
  }
}
