// LoRA on queries and values.
//
// ARGS: normal small small small small small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x6x8xf32>, %arg1: tensor<8x8xf32>, %arg2: tensor<8x8xf32>, %arg3: tensor<8x8xf32>, %arg4: tensor<8x2xf32>, %arg5: tensor<2x8xf32>, %arg6: tensor<8x2xf32>, %arg7: tensor<2x8xf32>) -> tensor<1x6x8xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 2.000000e+00 : f32
    %cst_2 = arith.constant 5.000000e-01 : f32
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2]] : tensor<1x6x8xf32> into tensor<6x8xf32>
    %0 = tensor.empty() : tensor<6x8xf32>
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %2 = linalg.matmul ins(%collapsed, %arg1 : tensor<6x8xf32>, tensor<8x8xf32>) outs(%1 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded = tensor.expand_shape %2 [[0, 1], [2]] output_shape [1, 6, 8] : tensor<6x8xf32> into tensor<1x6x8xf32>
    %3 = tensor.empty() : tensor<6x2xf32>
    %4 = linalg.fill ins(%cst : f32) outs(%3 : tensor<6x2xf32>) -> tensor<6x2xf32>
    %5 = linalg.matmul ins(%collapsed, %arg4 : tensor<6x8xf32>, tensor<8x2xf32>) outs(%4 : tensor<6x2xf32>) -> tensor<6x2xf32>
    %6 = linalg.matmul ins(%5, %arg5 : tensor<6x2xf32>, tensor<2x8xf32>) outs(%1 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_3 = tensor.expand_shape %6 [[0, 1], [2]] output_shape [1, 6, 8] : tensor<6x8xf32> into tensor<1x6x8xf32>
    %7 = tensor.empty() : tensor<1x6x8xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_3 : tensor<1x6x8xf32>) outs(%7 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = arith.mulf %in, %cst_1 : f32
      linalg.yield %38 : f32
    } -> tensor<1x6x8xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded, %8 : tensor<1x6x8xf32>, tensor<1x6x8xf32>) outs(%7 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_20: f32, %out: f32):
      %38 = arith.addf %in, %in_20 : f32
      linalg.yield %38 : f32
    } -> tensor<1x6x8xf32>
    %10 = linalg.matmul ins(%collapsed, %arg3 : tensor<6x8xf32>, tensor<8x8xf32>) outs(%1 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_4 = tensor.expand_shape %10 [[0, 1], [2]] output_shape [1, 6, 8] : tensor<6x8xf32> into tensor<1x6x8xf32>
    %11 = linalg.matmul ins(%collapsed, %arg6 : tensor<6x8xf32>, tensor<8x2xf32>) outs(%4 : tensor<6x2xf32>) -> tensor<6x2xf32>
    %12 = linalg.matmul ins(%11, %arg7 : tensor<6x2xf32>, tensor<2x8xf32>) outs(%1 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_5 = tensor.expand_shape %12 [[0, 1], [2]] output_shape [1, 6, 8] : tensor<6x8xf32> into tensor<1x6x8xf32>
    %13 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_5 : tensor<1x6x8xf32>) outs(%7 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = arith.mulf %in, %cst_1 : f32
      linalg.yield %38 : f32
    } -> tensor<1x6x8xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_4, %13 : tensor<1x6x8xf32>, tensor<1x6x8xf32>) outs(%7 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_20: f32, %out: f32):
      %38 = arith.addf %in, %in_20 : f32
      linalg.yield %38 : f32
    } -> tensor<1x6x8xf32>
    %15 = linalg.matmul ins(%collapsed, %arg2 : tensor<6x8xf32>, tensor<8x8xf32>) outs(%1 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_6 = tensor.expand_shape %9 [[0], [1], [2, 3]] output_shape [1, 6, 2, 4] : tensor<1x6x8xf32> into tensor<1x6x2x4xf32>
    %16 = tensor.empty() : tensor<1x2x6x4xf32>
    %transposed = linalg.transpose ins(%expanded_6 : tensor<1x6x2x4xf32>) outs(%16 : tensor<1x2x6x4xf32>) permutation = [0, 2, 1, 3]
    %expanded_7 = tensor.expand_shape %15 [[0, 1], [2, 3]] output_shape [1, 6, 2, 4] : tensor<6x8xf32> into tensor<1x6x2x4xf32>
    %expanded_8 = tensor.expand_shape %14 [[0], [1], [2, 3]] output_shape [1, 6, 2, 4] : tensor<1x6x8xf32> into tensor<1x6x2x4xf32>
    %transposed_9 = linalg.transpose ins(%expanded_8 : tensor<1x6x2x4xf32>) outs(%16 : tensor<1x2x6x4xf32>) permutation = [0, 2, 1, 3]
    %17 = tensor.empty() : tensor<1x2x4x6xf32>
    %transposed_10 = linalg.transpose ins(%expanded_7 : tensor<1x6x2x4xf32>) outs(%17 : tensor<1x2x4x6xf32>) permutation = [0, 2, 3, 1]
    %collapsed_11 = tensor.collapse_shape %transposed [[0, 1], [2], [3]] : tensor<1x2x6x4xf32> into tensor<2x6x4xf32>
    %collapsed_12 = tensor.collapse_shape %transposed_10 [[0, 1], [2], [3]] : tensor<1x2x4x6xf32> into tensor<2x4x6xf32>
    %18 = tensor.empty() : tensor<2x6x6xf32>
    %19 = linalg.fill ins(%cst : f32) outs(%18 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %20 = linalg.batch_matmul ins(%collapsed_11, %collapsed_12 : tensor<2x6x4xf32>, tensor<2x4x6xf32>) outs(%19 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %expanded_13 = tensor.expand_shape %20 [[0, 1], [2], [3]] output_shape [1, 2, 6, 6] : tensor<2x6x6xf32> into tensor<1x2x6x6xf32>
    %21 = tensor.empty() : tensor<1x2x6x6xf32>
    %22 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_13 : tensor<1x2x6x6xf32>) outs(%21 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = arith.mulf %in, %cst_2 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x6x6xf32>
    %23 = tensor.empty() : tensor<1x2x6xi64>
    %24 = linalg.fill ins(%c0_i64 : i64) outs(%23 : tensor<1x2x6xi64>) -> tensor<1x2x6xi64>
    %25 = tensor.empty() : tensor<1x2x6xf32>
    %26 = linalg.fill ins(%cst_0 : f32) outs(%25 : tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
    %27:2 = linalg.generic {indexing_maps = [#map1, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%22 : tensor<1x2x6x6xf32>) outs(%26, %24 : tensor<1x2x6xf32>, tensor<1x2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_20: i64):
      %38 = linalg.index 3 : index
      %39 = arith.index_cast %38 : index to i64
      %40 = arith.maximumf %in, %out : f32
      %41 = arith.cmpf ogt, %in, %out : f32
      %42 = arith.select %41, %39, %out_20 : i64
      linalg.yield %40, %42 : f32, i64
    } -> (tensor<1x2x6xf32>, tensor<1x2x6xi64>)
    %expanded_14 = tensor.expand_shape %27#0 [[0], [1], [2, 3]] output_shape [1, 2, 6, 1] : tensor<1x2x6xf32> into tensor<1x2x6x1xf32>
    %28 = linalg.generic {indexing_maps = [#map1, #map3, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%22, %expanded_14 : tensor<1x2x6x6xf32>, tensor<1x2x6x1xf32>) outs(%21 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_20: f32, %out: f32):
      %38 = arith.subf %in, %in_20 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x6x6xf32>
    %29 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%28 : tensor<1x2x6x6xf32>) outs(%21 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = math.exp %in : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x6x6xf32>
    %30 = tensor.empty() : tensor<1x2x6x1xf32>
    %31 = linalg.fill ins(%cst : f32) outs(%30 : tensor<1x2x6x1xf32>) -> tensor<1x2x6x1xf32>
    %32 = linalg.generic {indexing_maps = [#map1, #map3], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%29 : tensor<1x2x6x6xf32>) outs(%31 : tensor<1x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = arith.addf %in, %out : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x6x1xf32>
    %33 = linalg.generic {indexing_maps = [#map1, #map3, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%29, %32 : tensor<1x2x6x6xf32>, tensor<1x2x6x1xf32>) outs(%21 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_20: f32, %out: f32):
      %38 = arith.divf %in, %in_20 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x6x6xf32>
    %collapsed_15 = tensor.collapse_shape %33 [[0, 1], [2], [3]] : tensor<1x2x6x6xf32> into tensor<2x6x6xf32>
    %collapsed_16 = tensor.collapse_shape %transposed_9 [[0, 1], [2], [3]] : tensor<1x2x6x4xf32> into tensor<2x6x4xf32>
    %34 = tensor.empty() : tensor<2x6x4xf32>
    %35 = linalg.fill ins(%cst : f32) outs(%34 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %36 = linalg.batch_matmul ins(%collapsed_15, %collapsed_16 : tensor<2x6x6xf32>, tensor<2x6x4xf32>) outs(%35 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %expanded_17 = tensor.expand_shape %36 [[0, 1], [2], [3]] output_shape [1, 2, 6, 4] : tensor<2x6x4xf32> into tensor<1x2x6x4xf32>
    %37 = tensor.empty() : tensor<1x6x2x4xf32>
    %transposed_18 = linalg.transpose ins(%expanded_17 : tensor<1x2x6x4xf32>) outs(%37 : tensor<1x6x2x4xf32>) permutation = [0, 2, 1, 3]
    %collapsed_19 = tensor.collapse_shape %transposed_18 [[0], [1], [2, 3]] : tensor<1x6x2x4xf32> into tensor<1x6x8xf32>
    return %collapsed_19 : tensor<1x6x8xf32>
  }
}
