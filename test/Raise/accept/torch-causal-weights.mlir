// Masked weights instead of masked scores: exp times tril, then divided.
//
// ARGS: normal normal normal
// OVERFLOWS: no maximum is subtracted
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask causal
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0) -> (d0)>
#map2 = affine_map<(d0, d1) -> (0, d1)>
#map3 = affine_map<(d0, d1) -> (d0, 0)>
#map4 = affine_map<(d0, d1) -> (d0, d1)>
#map5 = affine_map<(d0, d1) -> ()>
#map6 = affine_map<(d0, d1, d2) -> (d1, d2)>
#map7 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x6x4xf32>, %arg1: tensor<2x6x4xf32>, %arg2: tensor<2x6x4xf32>) -> tensor<2x6x4xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_1 = arith.constant dense<1.000000e+00> : tensor<6x6xf32>
    %cst_2 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<2x4x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x6x4xf32>) outs(%0 : tensor<2x4x6xf32>) permutation = [0, 2, 1]
    %1 = tensor.empty() : tensor<2x6x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %3 = linalg.batch_matmul ins(%arg0, %transposed : tensor<2x6x4xf32>, tensor<2x4x6xf32>) outs(%2 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%3 : tensor<2x6x6xf32>) outs(%1 : tensor<2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.mulf %in, %cst_2 : f32
      linalg.yield %22 : f32
    } -> tensor<2x6x6xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4 : tensor<2x6x6xf32>) outs(%1 : tensor<2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = math.exp %in : f32
      linalg.yield %22 : f32
    } -> tensor<2x6x6xf32>
    %6 = tensor.empty() : tensor<6xi64>
    %7 = linalg.generic {indexing_maps = [#map1], iterator_types = ["parallel"]} outs(%6 : tensor<6xi64>) {
    ^bb0(%out: i64):
      %22 = linalg.index 0 : index
      %23 = arith.index_cast %22 : index to i64
      linalg.yield %23 : i64
    } -> tensor<6xi64>
    %expanded = tensor.expand_shape %7 [[0, 1]] output_shape [1, 6] : tensor<6xi64> into tensor<1x6xi64>
    %expanded_3 = tensor.expand_shape %7 [[0, 1]] output_shape [6, 1] : tensor<6xi64> into tensor<6x1xi64>
    %8 = tensor.empty() : tensor<6x6xi64>
    %9 = linalg.generic {indexing_maps = [#map2, #map3, #map4], iterator_types = ["parallel", "parallel"]} ins(%expanded, %expanded_3 : tensor<1x6xi64>, tensor<6x1xi64>) outs(%8 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_4: i64, %out: i64):
      %22 = arith.subi %in, %in_4 : i64
      linalg.yield %22 : i64
    } -> tensor<6x6xi64>
    %10 = tensor.empty() : tensor<6x6xi1>
    %11 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel"]} ins(%9 : tensor<6x6xi64>) outs(%10 : tensor<6x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %22 = arith.cmpi sle, %in, %c0_i64 : i64
      linalg.yield %22 : i1
    } -> tensor<6x6xi1>
    %12 = tensor.empty() : tensor<6x6xf32>
    %13 = linalg.generic {indexing_maps = [#map4, #map4, #map5, #map4], iterator_types = ["parallel", "parallel"]} ins(%11, %cst_1, %cst_0 : tensor<6x6xi1>, tensor<6x6xf32>, tensor<f32>) outs(%12 : tensor<6x6xf32>) {
    ^bb0(%in: i1, %in_4: f32, %in_5: f32, %out: f32):
      %22 = arith.select %in, %in_4, %in_5 : f32
      linalg.yield %22 : f32
    } -> tensor<6x6xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map6, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%5, %13 : tensor<2x6x6xf32>, tensor<6x6xf32>) outs(%1 : tensor<2x6x6xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %22 = arith.mulf %in, %in_4 : f32
      linalg.yield %22 : f32
    } -> tensor<2x6x6xf32>
    %15 = tensor.empty() : tensor<2x6x1xf32>
    %16 = linalg.fill ins(%cst : f32) outs(%15 : tensor<2x6x1xf32>) -> tensor<2x6x1xf32>
    %17 = linalg.generic {indexing_maps = [#map, #map7], iterator_types = ["parallel", "parallel", "reduction"]} ins(%14 : tensor<2x6x6xf32>) outs(%16 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.addf %in, %out : f32
      linalg.yield %22 : f32
    } -> tensor<2x6x1xf32>
    %18 = linalg.generic {indexing_maps = [#map, #map7, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%14, %17 : tensor<2x6x6xf32>, tensor<2x6x1xf32>) outs(%1 : tensor<2x6x6xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %22 = arith.divf %in, %in_4 : f32
      linalg.yield %22 : f32
    } -> tensor<2x6x6xf32>
    %19 = tensor.empty() : tensor<2x6x4xf32>
    %20 = linalg.fill ins(%cst : f32) outs(%19 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %21 = linalg.batch_matmul ins(%18, %arg2 : tensor<2x6x6xf32>, tensor<2x6x4xf32>) outs(%20 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    return %21 : tensor<2x6x4xf32>
  }
}
