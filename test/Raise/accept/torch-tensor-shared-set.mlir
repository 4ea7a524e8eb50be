// The last keys and values are of one head for all.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, 0, d4, d5)>
#map3 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, 0, d3, d4, d5)>
#map4 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)>
#map5 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map7 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map8 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, 0)>
#map9 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, 0, d5)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x1x7x4xf32>, %arg3: tensor<1x2x6x3xf32>, %arg4: tensor<1x1x7x3xf32>) -> tensor<1x2x5x3xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<1x2x7x4xf32>
    %collapsed = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<1x1x7x4xf32> into tensor<1x7x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed : tensor<1x7x4xf32>) outs(%0 : tensor<1x2x7x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x7x4xf32>
    %expanded = tensor.expand_shape %arg0 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 5, 4, 1, 1] : tensor<1x2x5x4xf32> into tensor<1x2x5x4x1x1xf32>
    %2 = tensor.empty() : tensor<1x2x5x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<1x2x5x4x1x1xf32>) outs(%2 : tensor<1x2x5x1x1x4xf32>) permutation = [0, 1, 2, 4, 5, 3]
    %expanded_2 = tensor.expand_shape %arg1 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %3 = tensor.empty() : tensor<1x2x1x6x1x4xf32>
    %transposed_3 = linalg.transpose ins(%expanded_2 : tensor<1x2x6x4x1x1xf32>) outs(%3 : tensor<1x2x1x6x1x4xf32>) permutation = [0, 1, 4, 2, 5, 3]
    %expanded_4 = tensor.expand_shape %1 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 7, 4, 1, 1] : tensor<1x2x7x4xf32> into tensor<1x2x7x4x1x1xf32>
    %4 = tensor.empty() : tensor<1x2x5x6x1x4xf32>
    %5 = linalg.generic {indexing_maps = [#map2, #map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_3 : tensor<1x2x5x1x1x4xf32>, tensor<1x2x1x6x1x4xf32>) outs(%4 : tensor<1x2x5x6x1x4xf32>) {
    ^bb0(%in: f32, %in_27: f32, %out: f32):
      %38 = arith.mulf %in, %in_27 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x5x6x1x4xf32>
    %6 = tensor.empty() : tensor<2x1x5x6x4x1xf32>
    %transposed_5 = linalg.transpose ins(%5 : tensor<1x2x5x6x1x4xf32>) outs(%6 : tensor<2x1x5x6x4x1xf32>) permutation = [1, 0, 2, 3, 5, 4]
    %collapsed_6 = tensor.collapse_shape %transposed_5 [[0], [1, 2, 3], [4, 5]] : tensor<2x1x5x6x4x1xf32> into tensor<2x30x4xf32>
    %7 = tensor.empty() : tensor<2x4x7x1x1x1xf32>
    %transposed_7 = linalg.transpose ins(%expanded_4 : tensor<1x2x7x4x1x1xf32>) outs(%7 : tensor<2x4x7x1x1x1xf32>) permutation = [1, 3, 2, 0, 4, 5]
    %collapsed_8 = tensor.collapse_shape %transposed_7 [[0], [1], [2, 3, 4, 5]] : tensor<2x4x7x1x1x1xf32> into tensor<2x4x7xf32>
    %8 = tensor.empty() : tensor<2x30x7xf32>
    %9 = linalg.fill ins(%cst : f32) outs(%8 : tensor<2x30x7xf32>) -> tensor<2x30x7xf32>
    %10 = linalg.batch_matmul ins(%collapsed_6, %collapsed_8 : tensor<2x30x4xf32>, tensor<2x4x7xf32>) outs(%9 : tensor<2x30x7xf32>) -> tensor<2x30x7xf32>
    %expanded_9 = tensor.expand_shape %10 [[0], [1, 2, 3], [4, 5]] output_shape [2, 1, 5, 6, 1, 7] : tensor<2x30x7xf32> into tensor<2x1x5x6x1x7xf32>
    %11 = tensor.empty() : tensor<1x2x5x6x7x1xf32>
    %transposed_10 = linalg.transpose ins(%expanded_9 : tensor<2x1x5x6x1x7xf32>) outs(%11 : tensor<1x2x5x6x7x1xf32>) permutation = [1, 0, 2, 3, 5, 4]
    %collapsed_11 = tensor.collapse_shape %transposed_10 [[0], [1], [2], [3], [4, 5]] : tensor<1x2x5x6x7x1xf32> into tensor<1x2x5x6x7xf32>
    %12 = tensor.empty() : tensor<1x2x5x6x7xf32>
    %13 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_11 : tensor<1x2x5x6x7xf32>) outs(%12 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = arith.mulf %in, %cst_1 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x5x6x7xf32>
    %collapsed_12 = tensor.collapse_shape %13 [[0], [1], [2], [3, 4]] : tensor<1x2x5x6x7xf32> into tensor<1x2x5x42xf32>
    %14 = tensor.empty() : tensor<1x2x5xi64>
    %15 = linalg.fill ins(%c0_i64 : i64) outs(%14 : tensor<1x2x5xi64>) -> tensor<1x2x5xi64>
    %16 = tensor.empty() : tensor<1x2x5xf32>
    %17 = linalg.fill ins(%cst_0 : f32) outs(%16 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %18:2 = linalg.generic {indexing_maps = [#map1, #map6, #map6], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_12 : tensor<1x2x5x42xf32>) outs(%17, %15 : tensor<1x2x5xf32>, tensor<1x2x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_27: i64):
      %38 = linalg.index 3 : index
      %39 = arith.index_cast %38 : index to i64
      %40 = arith.maximumf %in, %out : f32
      %41 = arith.cmpf ogt, %in, %out : f32
      %42 = arith.select %41, %39, %out_27 : i64
      linalg.yield %40, %42 : f32, i64
    } -> (tensor<1x2x5xf32>, tensor<1x2x5xi64>)
    %expanded_13 = tensor.expand_shape %18#0 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %19 = tensor.empty() : tensor<1x2x5x42xf32>
    %20 = linalg.generic {indexing_maps = [#map1, #map7, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_12, %expanded_13 : tensor<1x2x5x42xf32>, tensor<1x2x5x1xf32>) outs(%19 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %in_27: f32, %out: f32):
      %38 = arith.subf %in, %in_27 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x5x42xf32>
    %21 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%20 : tensor<1x2x5x42xf32>) outs(%19 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = math.exp %in : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x5x42xf32>
    %22 = tensor.empty() : tensor<1x2x5x1xf32>
    %23 = linalg.fill ins(%cst : f32) outs(%22 : tensor<1x2x5x1xf32>) -> tensor<1x2x5x1xf32>
    %24 = linalg.generic {indexing_maps = [#map1, #map7], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%21 : tensor<1x2x5x42xf32>) outs(%23 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = arith.addf %in, %out : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x5x1xf32>
    %25 = linalg.generic {indexing_maps = [#map1, #map7, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%21, %24 : tensor<1x2x5x42xf32>, tensor<1x2x5x1xf32>) outs(%19 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %in_27: f32, %out: f32):
      %38 = arith.divf %in, %in_27 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x5x42xf32>
    %26 = tensor.empty() : tensor<1x2x7x3xf32>
    %collapsed_14 = tensor.collapse_shape %arg4 [[0, 1], [2], [3]] : tensor<1x1x7x3xf32> into tensor<1x7x3xf32>
    %27 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_14 : tensor<1x7x3xf32>) outs(%26 : tensor<1x2x7x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x7x3xf32>
    %expanded_15 = tensor.expand_shape %25 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 5, 6, 7, 1] : tensor<1x2x5x42xf32> into tensor<1x2x5x6x7x1xf32>
    %expanded_16 = tensor.expand_shape %arg3 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 3, 1, 1] : tensor<1x2x6x3xf32> into tensor<1x2x6x3x1x1xf32>
    %28 = tensor.empty() : tensor<1x2x1x3x6x1xf32>
    %transposed_17 = linalg.transpose ins(%expanded_16 : tensor<1x2x6x3x1x1xf32>) outs(%28 : tensor<1x2x1x3x6x1xf32>) permutation = [0, 1, 4, 3, 2, 5]
    %expanded_18 = tensor.expand_shape %27 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 7, 3, 1, 1] : tensor<1x2x7x3xf32> into tensor<1x2x7x3x1x1xf32>
    %29 = tensor.empty() : tensor<1x2x1x3x1x7xf32>
    %transposed_19 = linalg.transpose ins(%expanded_18 : tensor<1x2x7x3x1x1xf32>) outs(%29 : tensor<1x2x1x3x1x7xf32>) permutation = [0, 1, 4, 3, 5, 2]
    %30 = tensor.empty() : tensor<1x2x1x3x6x7xf32>
    %31 = linalg.generic {indexing_maps = [#map8, #map9, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed_17, %transposed_19 : tensor<1x2x1x3x6x1xf32>, tensor<1x2x1x3x1x7xf32>) outs(%30 : tensor<1x2x1x3x6x7xf32>) {
    ^bb0(%in: f32, %in_27: f32, %out: f32):
      %38 = arith.mulf %in, %in_27 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x1x3x6x7xf32>
    %32 = tensor.empty() : tensor<2x5x6x7x1x1xf32>
    %transposed_20 = linalg.transpose ins(%expanded_15 : tensor<1x2x5x6x7x1xf32>) outs(%32 : tensor<2x5x6x7x1x1xf32>) permutation = [1, 2, 3, 4, 0, 5]
    %collapsed_21 = tensor.collapse_shape %transposed_20 [[0], [1], [2, 3, 4, 5]] : tensor<2x5x6x7x1x1xf32> into tensor<2x5x42xf32>
    %33 = tensor.empty() : tensor<2x6x7x1x3x1xf32>
    %transposed_22 = linalg.transpose ins(%31 : tensor<1x2x1x3x6x7xf32>) outs(%33 : tensor<2x6x7x1x3x1xf32>) permutation = [1, 4, 5, 0, 3, 2]
    %collapsed_23 = tensor.collapse_shape %transposed_22 [[0], [1, 2], [3, 4, 5]] : tensor<2x6x7x1x3x1xf32> into tensor<2x42x3xf32>
    %34 = tensor.empty() : tensor<2x5x3xf32>
    %35 = linalg.fill ins(%cst : f32) outs(%34 : tensor<2x5x3xf32>) -> tensor<2x5x3xf32>
    %36 = linalg.batch_matmul ins(%collapsed_21, %collapsed_23 : tensor<2x5x42xf32>, tensor<2x42x3xf32>) outs(%35 : tensor<2x5x3xf32>) -> tensor<2x5x3xf32>
    %expanded_24 = tensor.expand_shape %36 [[0], [1], [2, 3, 4, 5]] output_shape [2, 5, 1, 1, 1, 3] : tensor<2x5x3xf32> into tensor<2x5x1x1x1x3xf32>
    %37 = tensor.empty() : tensor<1x2x5x3x1x1xf32>
    %transposed_25 = linalg.transpose ins(%expanded_24 : tensor<2x5x1x1x1x3xf32>) outs(%37 : tensor<1x2x5x3x1x1xf32>) permutation = [4, 0, 1, 5, 2, 3]
    %collapsed_26 = tensor.collapse_shape %transposed_25 [[0], [1], [2], [3, 4, 5]] : tensor<1x2x5x3x1x1xf32> into tensor<1x2x5x3xf32>
    return %collapsed_26 : tensor<1x2x5x3xf32>
  }
}
