// Normalised by the sum before the mask.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: weights are divided by a sum of something else, or over another dimension than the second product sums over
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0) -> (d0)>
#map2 = affine_map<(d0, d1) -> (0, d1)>
#map3 = affine_map<(d0, d1) -> (d0, 0)>
#map4 = affine_map<(d0, d1) -> ()>
module {
  func.func @main(%arg0: tensor<6x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<6x4xf32>) -> tensor<6x4xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_1 = arith.constant dense<1.000000e+00> : tensor<6x6xf32>
    %cst_2 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<4x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x4xf32>) outs(%0 : tensor<4x6xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<6x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<6x6xf32>) -> tensor<6x6xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<6x4xf32>, tensor<4x6xf32>) outs(%2 : tensor<6x6xf32>) -> tensor<6x6xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<6x6xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %21 = arith.mulf %in, %cst_2 : f32
      linalg.yield %21 : f32
    } -> tensor<6x6xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%4 : tensor<6x6xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %21 = math.exp %in : f32
      linalg.yield %21 : f32
    } -> tensor<6x6xf32>
    %6 = tensor.empty() : tensor<6xi64>
    %7 = linalg.generic {indexing_maps = [#map1], iterator_types = ["parallel"]} outs(%6 : tensor<6xi64>) {
    ^bb0(%out: i64):
      %21 = linalg.index 0 : index
      %22 = arith.index_cast %21 : index to i64
      linalg.yield %22 : i64
    } -> tensor<6xi64>
    %expanded = tensor.expand_shape %7 [[0, 1]] output_shape [1, 6] : tensor<6xi64> into tensor<1x6xi64>
    %expanded_3 = tensor.expand_shape %7 [[0, 1]] output_shape [6, 1] : tensor<6xi64> into tensor<6x1xi64>
    %8 = tensor.empty() : tensor<6x6xi64>
    %9 = linalg.generic {indexing_maps = [#map2, #map3, #map], iterator_types = ["parallel", "parallel"]} ins(%expanded, %expanded_3 : tensor<1x6xi64>, tensor<6x1xi64>) outs(%8 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_4: i64, %out: i64):
      %21 = arith.subi %in, %in_4 : i64
      linalg.yield %21 : i64
    } -> tensor<6x6xi64>
    %10 = tensor.empty() : tensor<6x6xi1>
    %11 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%9 : tensor<6x6xi64>) outs(%10 : tensor<6x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %21 = arith.cmpi sle, %in, %c0_i64 : i64
      linalg.yield %21 : i1
    } -> tensor<6x6xi1>
    %12 = linalg.generic {indexing_maps = [#map, #map, #map4, #map], iterator_types = ["parallel", "parallel"]} ins(%11, %cst_1, %cst_0 : tensor<6x6xi1>, tensor<6x6xf32>, tensor<f32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: i1, %in_4: f32, %in_5: f32, %out: f32):
      %21 = arith.select %in, %in_4, %in_5 : f32
      linalg.yield %21 : f32
    } -> tensor<6x6xf32>
    %13 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%5, %12 : tensor<6x6xf32>, tensor<6x6xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %21 = arith.mulf %in, %in_4 : f32
      linalg.yield %21 : f32
    } -> tensor<6x6xf32>
    %14 = tensor.empty() : tensor<6x1xf32>
    %15 = linalg.fill ins(%cst : f32) outs(%14 : tensor<6x1xf32>) -> tensor<6x1xf32>
    %16 = linalg.generic {indexing_maps = [#map, #map3], iterator_types = ["parallel", "reduction"]} ins(%5 : tensor<6x6xf32>) outs(%15 : tensor<6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %21 = arith.addf %in, %out : f32
      linalg.yield %21 : f32
    } -> tensor<6x1xf32>
    %17 = linalg.generic {indexing_maps = [#map, #map3, #map], iterator_types = ["parallel", "parallel"]} ins(%13, %16 : tensor<6x6xf32>, tensor<6x1xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %21 = arith.divf %in, %in_4 : f32
      linalg.yield %21 : f32
    } -> tensor<6x6xf32>
    %18 = tensor.empty() : tensor<6x4xf32>
    %19 = linalg.fill ins(%cst : f32) outs(%18 : tensor<6x4xf32>) -> tensor<6x4xf32>
    %20 = linalg.matmul ins(%17, %arg2 : tensor<6x6xf32>, tensor<6x4xf32>) outs(%19 : tensor<6x4xf32>) -> tensor<6x4xf32>
    return %20 : tensor<6x4xf32>
  }
}
