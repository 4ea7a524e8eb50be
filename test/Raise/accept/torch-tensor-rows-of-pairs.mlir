// One matrix product each, keys and values of pairs as rows.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
#map1 = affine_map<(d0, d1, d2) -> (0, d1, d2)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1) -> (d0, d1)>
#map4 = affine_map<(d0, d1) -> (d0)>
#map5 = affine_map<(d0, d1) -> (d0, 0)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<7x4xf32>, %arg3: tensor<6x3xf32>, %arg4: tensor<7x3xf32>) -> tensor<5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg1 [[0], [1, 2]] output_shape [6, 1, 4] : tensor<6x4xf32> into tensor<6x1x4xf32>
    %expanded_2 = tensor.expand_shape %arg2 [[0, 1], [2]] output_shape [1, 7, 4] : tensor<7x4xf32> into tensor<1x7x4xf32>
    %0 = tensor.empty() : tensor<6x7x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded, %expanded_2 : tensor<6x1x4xf32>, tensor<1x7x4xf32>) outs(%0 : tensor<6x7x4xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %23 = arith.mulf %in, %in_7 : f32
      linalg.yield %23 : f32
    } -> tensor<6x7x4xf32>
    %collapsed = tensor.collapse_shape %1 [[0, 1], [2]] : tensor<6x7x4xf32> into tensor<42x4xf32>
    %2 = tensor.empty() : tensor<4x42xf32>
    %transposed = linalg.transpose ins(%collapsed : tensor<42x4xf32>) outs(%2 : tensor<4x42xf32>) permutation = [1, 0]
    %3 = tensor.empty() : tensor<5x42xf32>
    %4 = linalg.fill ins(%cst : f32) outs(%3 : tensor<5x42xf32>) -> tensor<5x42xf32>
    %5 = linalg.matmul ins(%arg0, %transposed : tensor<5x4xf32>, tensor<4x42xf32>) outs(%4 : tensor<5x42xf32>) -> tensor<5x42xf32>
    %6 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%5 : tensor<5x42xf32>) outs(%3 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %23 = arith.mulf %in, %cst_1 : f32
      linalg.yield %23 : f32
    } -> tensor<5x42xf32>
    %7 = tensor.empty() : tensor<5xi64>
    %8 = linalg.fill ins(%c0_i64 : i64) outs(%7 : tensor<5xi64>) -> tensor<5xi64>
    %9 = tensor.empty() : tensor<5xf32>
    %10 = linalg.fill ins(%cst_0 : f32) outs(%9 : tensor<5xf32>) -> tensor<5xf32>
    %11:2 = linalg.generic {indexing_maps = [#map3, #map4, #map4], iterator_types = ["parallel", "reduction"]} ins(%6 : tensor<5x42xf32>) outs(%10, %8 : tensor<5xf32>, tensor<5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_7: i64):
      %23 = linalg.index 1 : index
      %24 = arith.index_cast %23 : index to i64
      %25 = arith.maximumf %in, %out : f32
      %26 = arith.cmpf ogt, %in, %out : f32
      %27 = arith.select %26, %24, %out_7 : i64
      linalg.yield %25, %27 : f32, i64
    } -> (tensor<5xf32>, tensor<5xi64>)
    %expanded_3 = tensor.expand_shape %11#0 [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
    %12 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel"]} ins(%6, %expanded_3 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%3 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %23 = arith.subf %in, %in_7 : f32
      linalg.yield %23 : f32
    } -> tensor<5x42xf32>
    %13 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%12 : tensor<5x42xf32>) outs(%3 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %23 = math.exp %in : f32
      linalg.yield %23 : f32
    } -> tensor<5x42xf32>
    %14 = tensor.empty() : tensor<5x1xf32>
    %15 = linalg.fill ins(%cst : f32) outs(%14 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %16 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "reduction"]} ins(%13 : tensor<5x42xf32>) outs(%15 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %23 = arith.addf %in, %out : f32
      linalg.yield %23 : f32
    } -> tensor<5x1xf32>
    %17 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel"]} ins(%13, %16 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%3 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %23 = arith.divf %in, %in_7 : f32
      linalg.yield %23 : f32
    } -> tensor<5x42xf32>
    %expanded_4 = tensor.expand_shape %arg3 [[0], [1, 2]] output_shape [6, 1, 3] : tensor<6x3xf32> into tensor<6x1x3xf32>
    %expanded_5 = tensor.expand_shape %arg4 [[0, 1], [2]] output_shape [1, 7, 3] : tensor<7x3xf32> into tensor<1x7x3xf32>
    %18 = tensor.empty() : tensor<6x7x3xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_4, %expanded_5 : tensor<6x1x3xf32>, tensor<1x7x3xf32>) outs(%18 : tensor<6x7x3xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %23 = arith.mulf %in, %in_7 : f32
      linalg.yield %23 : f32
    } -> tensor<6x7x3xf32>
    %collapsed_6 = tensor.collapse_shape %19 [[0, 1], [2]] : tensor<6x7x3xf32> into tensor<42x3xf32>
    %20 = tensor.empty() : tensor<5x3xf32>
    %21 = linalg.fill ins(%cst : f32) outs(%20 : tensor<5x3xf32>) -> tensor<5x3xf32>
    %22 = linalg.matmul ins(%17, %collapsed_6 : tensor<5x42xf32>, tensor<42x3xf32>) outs(%21 : tensor<5x3xf32>) -> tensor<5x3xf32>
    return %22 : tensor<5x3xf32>
  }
}
