// Layout [batch, length, heads, dim].
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, 0, d4, d5)>
#map1 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, 0, d3, d4, d5)>
#map2 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map7 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, 0)>
#map8 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, 0, d5)>
module {
  func.func @main(%arg0: tensor<2x5x2x4xf32>, %arg1: tensor<2x6x2x4xf32>, %arg2: tensor<2x7x2x4xf32>, %arg3: tensor<2x6x2x3xf32>, %arg4: tensor<2x7x2x3xf32>) -> tensor<2x5x2x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1], [2], [3, 4, 5]] output_shape [2, 5, 2, 4, 1, 1] : tensor<2x5x2x4xf32> into tensor<2x5x2x4x1x1xf32>
    %0 = tensor.empty() : tensor<2x2x5x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<2x5x2x4x1x1xf32>) outs(%0 : tensor<2x2x5x1x1x4xf32>) permutation = [0, 2, 1, 4, 5, 3]
    %expanded_2 = tensor.expand_shape %arg1 [[0], [1], [2], [3, 4, 5]] output_shape [2, 6, 2, 4, 1, 1] : tensor<2x6x2x4xf32> into tensor<2x6x2x4x1x1xf32>
    %1 = tensor.empty() : tensor<2x2x1x6x1x4xf32>
    %transposed_3 = linalg.transpose ins(%expanded_2 : tensor<2x6x2x4x1x1xf32>) outs(%1 : tensor<2x2x1x6x1x4xf32>) permutation = [0, 2, 4, 1, 5, 3]
    %expanded_4 = tensor.expand_shape %arg2 [[0], [1], [2], [3, 4, 5]] output_shape [2, 7, 2, 4, 1, 1] : tensor<2x7x2x4xf32> into tensor<2x7x2x4x1x1xf32>
    %2 = tensor.empty() : tensor<2x2x5x6x1x4xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_3 : tensor<2x2x5x1x1x4xf32>, tensor<2x2x1x6x1x4xf32>) outs(%2 : tensor<2x2x5x6x1x4xf32>) {
    ^bb0(%in: f32, %in_23: f32, %out: f32):
      %33 = arith.mulf %in, %in_23 : f32
      linalg.yield %33 : f32
    } -> tensor<2x2x5x6x1x4xf32>
    %4 = tensor.empty() : tensor<2x2x5x6x4x1xf32>
    %transposed_5 = linalg.transpose ins(%3 : tensor<2x2x5x6x1x4xf32>) outs(%4 : tensor<2x2x5x6x4x1xf32>) permutation = [0, 1, 2, 3, 5, 4]
    %collapsed = tensor.collapse_shape %transposed_5 [[0, 1], [2, 3], [4, 5]] : tensor<2x2x5x6x4x1xf32> into tensor<4x30x4xf32>
    %5 = tensor.empty() : tensor<2x2x4x7x1x1xf32>
    %transposed_6 = linalg.transpose ins(%expanded_4 : tensor<2x7x2x4x1x1xf32>) outs(%5 : tensor<2x2x4x7x1x1xf32>) permutation = [0, 2, 3, 1, 4, 5]
    %collapsed_7 = tensor.collapse_shape %transposed_6 [[0, 1], [2], [3, 4, 5]] : tensor<2x2x4x7x1x1xf32> into tensor<4x4x7xf32>
    %6 = tensor.empty() : tensor<4x30x7xf32>
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<4x30x7xf32>) -> tensor<4x30x7xf32>
    %8 = linalg.batch_matmul ins(%collapsed, %collapsed_7 : tensor<4x30x4xf32>, tensor<4x4x7xf32>) outs(%7 : tensor<4x30x7xf32>) -> tensor<4x30x7xf32>
    %expanded_8 = tensor.expand_shape %8 [[0, 1], [2, 3], [4, 5]] output_shape [2, 2, 5, 6, 1, 7] : tensor<4x30x7xf32> into tensor<2x2x5x6x1x7xf32>
    %9 = tensor.empty() : tensor<2x2x5x6x7x1xf32>
    %transposed_9 = linalg.transpose ins(%expanded_8 : tensor<2x2x5x6x1x7xf32>) outs(%9 : tensor<2x2x5x6x7x1xf32>) permutation = [0, 1, 2, 3, 5, 4]
    %collapsed_10 = tensor.collapse_shape %transposed_9 [[0], [1], [2], [3], [4, 5]] : tensor<2x2x5x6x7x1xf32> into tensor<2x2x5x6x7xf32>
    %10 = tensor.empty() : tensor<2x2x5x6x7xf32>
    %11 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_10 : tensor<2x2x5x6x7xf32>) outs(%10 : tensor<2x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %33 = arith.mulf %in, %cst_1 : f32
      linalg.yield %33 : f32
    } -> tensor<2x2x5x6x7xf32>
    %collapsed_11 = tensor.collapse_shape %11 [[0], [1], [2], [3, 4]] : tensor<2x2x5x6x7xf32> into tensor<2x2x5x42xf32>
    %12 = tensor.empty() : tensor<2x2x5xi64>
    %13 = linalg.fill ins(%c0_i64 : i64) outs(%12 : tensor<2x2x5xi64>) -> tensor<2x2x5xi64>
    %14 = tensor.empty() : tensor<2x2x5xf32>
    %15 = linalg.fill ins(%cst_0 : f32) outs(%14 : tensor<2x2x5xf32>) -> tensor<2x2x5xf32>
    %16:2 = linalg.generic {indexing_maps = [#map4, #map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_11 : tensor<2x2x5x42xf32>) outs(%15, %13 : tensor<2x2x5xf32>, tensor<2x2x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_23: i64):
      %33 = linalg.index 3 : index
      %34 = arith.index_cast %33 : index to i64
      %35 = arith.maximumf %in, %out : f32
      %36 = arith.cmpf ogt, %in, %out : f32
      %37 = arith.select %36, %34, %out_23 : i64
      linalg.yield %35, %37 : f32, i64
    } -> (tensor<2x2x5xf32>, tensor<2x2x5xi64>)
    %expanded_12 = tensor.expand_shape %16#0 [[0], [1], [2, 3]] output_shape [2, 2, 5, 1] : tensor<2x2x5xf32> into tensor<2x2x5x1xf32>
    %17 = tensor.empty() : tensor<2x2x5x42xf32>
    %18 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_11, %expanded_12 : tensor<2x2x5x42xf32>, tensor<2x2x5x1xf32>) outs(%17 : tensor<2x2x5x42xf32>) {
    ^bb0(%in: f32, %in_23: f32, %out: f32):
      %33 = arith.subf %in, %in_23 : f32
      linalg.yield %33 : f32
    } -> tensor<2x2x5x42xf32>
    %19 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%18 : tensor<2x2x5x42xf32>) outs(%17 : tensor<2x2x5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %33 = math.exp %in : f32
      linalg.yield %33 : f32
    } -> tensor<2x2x5x42xf32>
    %20 = tensor.empty() : tensor<2x2x5x1xf32>
    %21 = linalg.fill ins(%cst : f32) outs(%20 : tensor<2x2x5x1xf32>) -> tensor<2x2x5x1xf32>
    %22 = linalg.generic {indexing_maps = [#map4, #map6], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%19 : tensor<2x2x5x42xf32>) outs(%21 : tensor<2x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %33 = arith.addf %in, %out : f32
      linalg.yield %33 : f32
    } -> tensor<2x2x5x1xf32>
    %23 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%19, %22 : tensor<2x2x5x42xf32>, tensor<2x2x5x1xf32>) outs(%17 : tensor<2x2x5x42xf32>) {
    ^bb0(%in: f32, %in_23: f32, %out: f32):
      %33 = arith.divf %in, %in_23 : f32
      linalg.yield %33 : f32
    } -> tensor<2x2x5x42xf32>
    %expanded_13 = tensor.expand_shape %arg3 [[0], [1], [2], [3, 4, 5]] output_shape [2, 6, 2, 3, 1, 1] : tensor<2x6x2x3xf32> into tensor<2x6x2x3x1x1xf32>
    %24 = tensor.empty() : tensor<2x1x2x3x6x1xf32>
    %transposed_14 = linalg.transpose ins(%expanded_13 : tensor<2x6x2x3x1x1xf32>) outs(%24 : tensor<2x1x2x3x6x1xf32>) permutation = [0, 4, 2, 3, 1, 5]
    %expanded_15 = tensor.expand_shape %arg4 [[0], [1], [2], [3, 4, 5]] output_shape [2, 7, 2, 3, 1, 1] : tensor<2x7x2x3xf32> into tensor<2x7x2x3x1x1xf32>
    %25 = tensor.empty() : tensor<2x1x2x3x1x7xf32>
    %transposed_16 = linalg.transpose ins(%expanded_15 : tensor<2x7x2x3x1x1xf32>) outs(%25 : tensor<2x1x2x3x1x7xf32>) permutation = [0, 4, 2, 3, 5, 1]
    %26 = tensor.empty() : tensor<2x1x2x3x6x7xf32>
    %27 = linalg.generic {indexing_maps = [#map7, #map8, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed_14, %transposed_16 : tensor<2x1x2x3x6x1xf32>, tensor<2x1x2x3x1x7xf32>) outs(%26 : tensor<2x1x2x3x6x7xf32>) {
    ^bb0(%in: f32, %in_23: f32, %out: f32):
      %33 = arith.mulf %in, %in_23 : f32
      linalg.yield %33 : f32
    } -> tensor<2x1x2x3x6x7xf32>
    %collapsed_17 = tensor.collapse_shape %23 [[0, 1], [2], [3]] : tensor<2x2x5x42xf32> into tensor<4x5x42xf32>
    %28 = tensor.empty() : tensor<2x2x6x7x3x1xf32>
    %transposed_18 = linalg.transpose ins(%27 : tensor<2x1x2x3x6x7xf32>) outs(%28 : tensor<2x2x6x7x3x1xf32>) permutation = [0, 2, 4, 5, 3, 1]
    %collapsed_19 = tensor.collapse_shape %transposed_18 [[0, 1], [2, 3], [4, 5]] : tensor<2x2x6x7x3x1xf32> into tensor<4x42x3xf32>
    %29 = tensor.empty() : tensor<4x5x3xf32>
    %30 = linalg.fill ins(%cst : f32) outs(%29 : tensor<4x5x3xf32>) -> tensor<4x5x3xf32>
    %31 = linalg.batch_matmul ins(%collapsed_17, %collapsed_19 : tensor<4x5x42xf32>, tensor<4x42x3xf32>) outs(%30 : tensor<4x5x3xf32>) -> tensor<4x5x3xf32>
    %expanded_20 = tensor.expand_shape %31 [[0, 1], [2], [3, 4, 5]] output_shape [2, 2, 5, 1, 1, 3] : tensor<4x5x3xf32> into tensor<2x2x5x1x1x3xf32>
    %32 = tensor.empty() : tensor<2x5x2x3x1x1xf32>
    %transposed_21 = linalg.transpose ins(%expanded_20 : tensor<2x2x5x1x1x3xf32>) outs(%32 : tensor<2x5x2x3x1x1xf32>) permutation = [0, 2, 1, 5, 3, 4]
    %collapsed_22 = tensor.collapse_shape %transposed_21 [[0], [1], [2], [3, 4, 5]] : tensor<2x5x2x3x1x1xf32> into tensor<2x5x2x3xf32>
    return %collapsed_22 : tensor<2x5x2x3xf32>
  }
}
