// Products of keys and of values by the same index: ordinary attention to products.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1) -> (d0, d1)>
#map2 = affine_map<(d0, d1) -> (d0)>
#map3 = affine_map<(d0, d1) -> (d0, 0)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<6x4xf32>, %arg3: tensor<6x3xf32>, %arg4: tensor<6x3xf32>) -> tensor<5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg1 [[0], [1, 2]] output_shape [6, 4, 1] : tensor<6x4xf32> into tensor<6x4x1xf32>
    %0 = tensor.empty() : tensor<1x6x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<6x4x1xf32>) outs(%0 : tensor<1x6x4xf32>) permutation = [2, 0, 1]
    %expanded_2 = tensor.expand_shape %arg2 [[0], [1, 2]] output_shape [6, 4, 1] : tensor<6x4xf32> into tensor<6x4x1xf32>
    %transposed_3 = linalg.transpose ins(%expanded_2 : tensor<6x4x1xf32>) outs(%0 : tensor<1x6x4xf32>) permutation = [2, 0, 1]
    %1 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%transposed, %transposed_3 : tensor<1x6x4xf32>, tensor<1x6x4xf32>) outs(%0 : tensor<1x6x4xf32>) {
    ^bb0(%in: f32, %in_12: f32, %out: f32):
      %25 = arith.mulf %in, %in_12 : f32
      linalg.yield %25 : f32
    } -> tensor<1x6x4xf32>
    %expanded_4 = tensor.expand_shape %arg0 [[0, 1], [2]] output_shape [1, 5, 4] : tensor<5x4xf32> into tensor<1x5x4xf32>
    %2 = tensor.empty() : tensor<4x6x1xf32>
    %transposed_5 = linalg.transpose ins(%1 : tensor<1x6x4xf32>) outs(%2 : tensor<4x6x1xf32>) permutation = [2, 1, 0]
    %collapsed = tensor.collapse_shape %transposed_5 [[0], [1, 2]] : tensor<4x6x1xf32> into tensor<4x6xf32>
    %expanded_6 = tensor.expand_shape %collapsed [[0, 1], [2]] output_shape [1, 4, 6] : tensor<4x6xf32> into tensor<1x4x6xf32>
    %3 = tensor.empty() : tensor<1x5x6xf32>
    %4 = linalg.fill ins(%cst : f32) outs(%3 : tensor<1x5x6xf32>) -> tensor<1x5x6xf32>
    %5 = linalg.batch_matmul ins(%expanded_4, %expanded_6 : tensor<1x5x4xf32>, tensor<1x4x6xf32>) outs(%4 : tensor<1x5x6xf32>) -> tensor<1x5x6xf32>
    %collapsed_7 = tensor.collapse_shape %5 [[0, 1], [2]] : tensor<1x5x6xf32> into tensor<5x6xf32>
    %expanded_8 = tensor.expand_shape %collapsed_7 [[0], [1, 2]] output_shape [5, 1, 6] : tensor<5x6xf32> into tensor<5x1x6xf32>
    %6 = tensor.empty() : tensor<5x6x1xf32>
    %transposed_9 = linalg.transpose ins(%expanded_8 : tensor<5x1x6xf32>) outs(%6 : tensor<5x6x1xf32>) permutation = [0, 2, 1]
    %collapsed_10 = tensor.collapse_shape %transposed_9 [[0], [1, 2]] : tensor<5x6x1xf32> into tensor<5x6xf32>
    %7 = tensor.empty() : tensor<5x6xf32>
    %8 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%collapsed_10 : tensor<5x6xf32>) outs(%7 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %25 = arith.mulf %in, %cst_1 : f32
      linalg.yield %25 : f32
    } -> tensor<5x6xf32>
    %9 = tensor.empty() : tensor<5xi64>
    %10 = linalg.fill ins(%c0_i64 : i64) outs(%9 : tensor<5xi64>) -> tensor<5xi64>
    %11 = tensor.empty() : tensor<5xf32>
    %12 = linalg.fill ins(%cst_0 : f32) outs(%11 : tensor<5xf32>) -> tensor<5xf32>
    %13:2 = linalg.generic {indexing_maps = [#map1, #map2, #map2], iterator_types = ["parallel", "reduction"]} ins(%8 : tensor<5x6xf32>) outs(%12, %10 : tensor<5xf32>, tensor<5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_12: i64):
      %25 = linalg.index 1 : index
      %26 = arith.index_cast %25 : index to i64
      %27 = arith.maximumf %in, %out : f32
      %28 = arith.cmpf ogt, %in, %out : f32
      %29 = arith.select %28, %26, %out_12 : i64
      linalg.yield %27, %29 : f32, i64
    } -> (tensor<5xf32>, tensor<5xi64>)
    %expanded_11 = tensor.expand_shape %13#0 [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
    %14 = linalg.generic {indexing_maps = [#map1, #map3, #map1], iterator_types = ["parallel", "parallel"]} ins(%8, %expanded_11 : tensor<5x6xf32>, tensor<5x1xf32>) outs(%7 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %in_12: f32, %out: f32):
      %25 = arith.subf %in, %in_12 : f32
      linalg.yield %25 : f32
    } -> tensor<5x6xf32>
    %15 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%14 : tensor<5x6xf32>) outs(%7 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %25 = math.exp %in : f32
      linalg.yield %25 : f32
    } -> tensor<5x6xf32>
    %16 = tensor.empty() : tensor<5x1xf32>
    %17 = linalg.fill ins(%cst : f32) outs(%16 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %18 = linalg.generic {indexing_maps = [#map1, #map3], iterator_types = ["parallel", "reduction"]} ins(%15 : tensor<5x6xf32>) outs(%17 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %25 = arith.addf %in, %out : f32
      linalg.yield %25 : f32
    } -> tensor<5x1xf32>
    %19 = linalg.generic {indexing_maps = [#map1, #map3, #map1], iterator_types = ["parallel", "parallel"]} ins(%15, %18 : tensor<5x6xf32>, tensor<5x1xf32>) outs(%7 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %in_12: f32, %out: f32):
      %25 = arith.divf %in, %in_12 : f32
      linalg.yield %25 : f32
    } -> tensor<5x6xf32>
    %20 = tensor.empty() : tensor<6x3xf32>
    %21 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%arg3, %arg4 : tensor<6x3xf32>, tensor<6x3xf32>) outs(%20 : tensor<6x3xf32>) {
    ^bb0(%in: f32, %in_12: f32, %out: f32):
      %25 = arith.mulf %in, %in_12 : f32
      linalg.yield %25 : f32
    } -> tensor<6x3xf32>
    %22 = tensor.empty() : tensor<5x3xf32>
    %23 = linalg.fill ins(%cst : f32) outs(%22 : tensor<5x3xf32>) -> tensor<5x3xf32>
    %24 = linalg.matmul ins(%19, %21 : tensor<5x6xf32>, tensor<6x3xf32>) outs(%23 : tensor<5x3xf32>) -> tensor<5x3xf32>
    return %24 : tensor<5x3xf32>
  }
}
