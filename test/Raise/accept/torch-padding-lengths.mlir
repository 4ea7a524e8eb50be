// Padding by lengths; every row has a key.
//
// ARGS: normal normal normal ids<7>
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0) -> (d0)>
#map1 = affine_map<(d0, d1) -> (0, d1)>
#map2 = affine_map<(d0, d1) -> (d0, 0)>
#map3 = affine_map<(d0, d1) -> (d0, d1)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, d3)>
#map6 = affine_map<(d0, d1, d2, d3) -> ()>
#map7 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<2x2x5x4xf32>, %arg1: tensor<2x2x7x4xf32>, %arg2: tensor<2x2x7x4xf32>, %arg3: tensor<2xi64>) -> tensor<2x2x5x4xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<7xi64>
    %1 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%0 : tensor<7xi64>) {
    ^bb0(%out: i64):
      %25 = linalg.index 0 : index
      %26 = arith.index_cast %25 : index to i64
      linalg.yield %26 : i64
    } -> tensor<7xi64>
    %expanded = tensor.expand_shape %1 [[0, 1]] output_shape [1, 7] : tensor<7xi64> into tensor<1x7xi64>
    %expanded_3 = tensor.expand_shape %arg3 [[0, 1]] output_shape [2, 1] : tensor<2xi64> into tensor<2x1xi64>
    %2 = tensor.empty() : tensor<2x7xi1>
    %3 = linalg.generic {indexing_maps = [#map1, #map2, #map3], iterator_types = ["parallel", "parallel"]} ins(%expanded, %expanded_3 : tensor<1x7xi64>, tensor<2x1xi64>) outs(%2 : tensor<2x7xi1>) {
    ^bb0(%in: i64, %in_11: i64, %out: i1):
      %25 = arith.cmpi sle, %in, %in_11 : i64
      linalg.yield %25 : i1
    } -> tensor<2x7xi1>
    %expanded_4 = tensor.expand_shape %3 [[0], [1, 2, 3]] output_shape [2, 1, 1, 7] : tensor<2x7xi1> into tensor<2x1x1x7xi1>
    %4 = tensor.empty() : tensor<2x2x4x7xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x2x7x4xf32>) outs(%4 : tensor<2x2x4x7xf32>) permutation = [0, 1, 3, 2]
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2], [3]] : tensor<2x2x5x4xf32> into tensor<4x5x4xf32>
    %collapsed_5 = tensor.collapse_shape %transposed [[0, 1], [2], [3]] : tensor<2x2x4x7xf32> into tensor<4x4x7xf32>
    %5 = tensor.empty() : tensor<4x5x7xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<4x5x7xf32>) -> tensor<4x5x7xf32>
    %7 = linalg.batch_matmul ins(%collapsed, %collapsed_5 : tensor<4x5x4xf32>, tensor<4x4x7xf32>) outs(%6 : tensor<4x5x7xf32>) -> tensor<4x5x7xf32>
    %expanded_6 = tensor.expand_shape %7 [[0, 1], [2], [3]] output_shape [2, 2, 5, 7] : tensor<4x5x7xf32> into tensor<2x2x5x7xf32>
    %8 = tensor.empty() : tensor<2x2x5x7xf32>
    %9 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_6 : tensor<2x2x5x7xf32>) outs(%8 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %25 = arith.mulf %in, %cst_2 : f32
      linalg.yield %25 : f32
    } -> tensor<2x2x5x7xf32>
    %10 = linalg.generic {indexing_maps = [#map5, #map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_4, %9, %cst_1 : tensor<2x1x1x7xi1>, tensor<2x2x5x7xf32>, tensor<f32>) outs(%8 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: i1, %in_11: f32, %in_12: f32, %out: f32):
      %25 = arith.select %in, %in_11, %in_12 : f32
      linalg.yield %25 : f32
    } -> tensor<2x2x5x7xf32>
    %11 = tensor.empty() : tensor<2x2x5xi64>
    %12 = linalg.fill ins(%c0_i64 : i64) outs(%11 : tensor<2x2x5xi64>) -> tensor<2x2x5xi64>
    %13 = tensor.empty() : tensor<2x2x5xf32>
    %14 = linalg.fill ins(%cst_0 : f32) outs(%13 : tensor<2x2x5xf32>) -> tensor<2x2x5xf32>
    %15:2 = linalg.generic {indexing_maps = [#map4, #map7, #map7], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%10 : tensor<2x2x5x7xf32>) outs(%14, %12 : tensor<2x2x5xf32>, tensor<2x2x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_11: i64):
      %25 = linalg.index 3 : index
      %26 = arith.index_cast %25 : index to i64
      %27 = arith.maximumf %in, %out : f32
      %28 = arith.cmpf ogt, %in, %out : f32
      %29 = arith.select %28, %26, %out_11 : i64
      linalg.yield %27, %29 : f32, i64
    } -> (tensor<2x2x5xf32>, tensor<2x2x5xi64>)
    %expanded_7 = tensor.expand_shape %15#0 [[0], [1], [2, 3]] output_shape [2, 2, 5, 1] : tensor<2x2x5xf32> into tensor<2x2x5x1xf32>
    %16 = linalg.generic {indexing_maps = [#map4, #map8, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%10, %expanded_7 : tensor<2x2x5x7xf32>, tensor<2x2x5x1xf32>) outs(%8 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %in_11: f32, %out: f32):
      %25 = arith.subf %in, %in_11 : f32
      linalg.yield %25 : f32
    } -> tensor<2x2x5x7xf32>
    %17 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%16 : tensor<2x2x5x7xf32>) outs(%8 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %25 = math.exp %in : f32
      linalg.yield %25 : f32
    } -> tensor<2x2x5x7xf32>
    %18 = tensor.empty() : tensor<2x2x5x1xf32>
    %19 = linalg.fill ins(%cst : f32) outs(%18 : tensor<2x2x5x1xf32>) -> tensor<2x2x5x1xf32>
    %20 = linalg.generic {indexing_maps = [#map4, #map8], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%17 : tensor<2x2x5x7xf32>) outs(%19 : tensor<2x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %25 = arith.addf %in, %out : f32
      linalg.yield %25 : f32
    } -> tensor<2x2x5x1xf32>
    %21 = linalg.generic {indexing_maps = [#map4, #map8, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%17, %20 : tensor<2x2x5x7xf32>, tensor<2x2x5x1xf32>) outs(%8 : tensor<2x2x5x7xf32>) {
    ^bb0(%in: f32, %in_11: f32, %out: f32):
      %25 = arith.divf %in, %in_11 : f32
      linalg.yield %25 : f32
    } -> tensor<2x2x5x7xf32>
    %collapsed_8 = tensor.collapse_shape %21 [[0, 1], [2], [3]] : tensor<2x2x5x7xf32> into tensor<4x5x7xf32>
    %collapsed_9 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<2x2x7x4xf32> into tensor<4x7x4xf32>
    %22 = tensor.empty() : tensor<4x5x4xf32>
    %23 = linalg.fill ins(%cst : f32) outs(%22 : tensor<4x5x4xf32>) -> tensor<4x5x4xf32>
    %24 = linalg.batch_matmul ins(%collapsed_8, %collapsed_9 : tensor<4x5x7xf32>, tensor<4x7x4xf32>) outs(%23 : tensor<4x5x4xf32>) -> tensor<4x5x4xf32>
    %expanded_10 = tensor.expand_shape %24 [[0, 1], [2], [3]] output_shape [2, 2, 5, 4] : tensor<4x5x4xf32> into tensor<2x2x5x4xf32>
    return %expanded_10 : tensor<2x2x5x4xf32>
  }
}
