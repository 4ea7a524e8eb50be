// Scores transposed and causal.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask causal
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0) -> (d0)>
#map2 = affine_map<(d0, d1) -> (0, d1)>
#map3 = affine_map<(d0, d1) -> (d0, 0)>
#map4 = affine_map<(d0, d1) -> (d0, d1)>
#map5 = affine_map<(d0, d1, d2) -> (d1, d2)>
#map6 = affine_map<(d0, d1, d2) -> ()>
#map7 = affine_map<(d0, d1, d2) -> (d0, d2)>
#map8 = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
module {
  func.func @main(%arg0: tensor<2x6x4xf32>, %arg1: tensor<2x6x4xf32>, %arg2: tensor<2x6x4xf32>) -> tensor<2x6x4xf32> {
    %c-1_i64 = arith.constant -1 : i64
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<true> : tensor<6x6xi1>
    %cst_3 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<2x4x6xf32>
    %transposed = linalg.transpose ins(%arg0 : tensor<2x6x4xf32>) outs(%0 : tensor<2x4x6xf32>) permutation = [0, 2, 1]
    %1 = tensor.empty() : tensor<2x6x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %3 = linalg.batch_matmul ins(%arg1, %transposed : tensor<2x6x4xf32>, tensor<2x4x6xf32>) outs(%2 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%3 : tensor<2x6x6xf32>) outs(%1 : tensor<2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %27 = arith.mulf %in, %cst_3 : f32
      linalg.yield %27 : f32
    } -> tensor<2x6x6xf32>
    %5 = tensor.empty() : tensor<6xi64>
    %6 = linalg.generic {indexing_maps = [#map1], iterator_types = ["parallel"]} outs(%5 : tensor<6xi64>) {
    ^bb0(%out: i64):
      %27 = linalg.index 0 : index
      %28 = arith.index_cast %27 : index to i64
      linalg.yield %28 : i64
    } -> tensor<6xi64>
    %expanded = tensor.expand_shape %6 [[0, 1]] output_shape [1, 6] : tensor<6xi64> into tensor<1x6xi64>
    %expanded_4 = tensor.expand_shape %6 [[0, 1]] output_shape [6, 1] : tensor<6xi64> into tensor<6x1xi64>
    %7 = tensor.empty() : tensor<6x6xi64>
    %8 = linalg.generic {indexing_maps = [#map2, #map3, #map4], iterator_types = ["parallel", "parallel"]} ins(%expanded, %expanded_4 : tensor<1x6xi64>, tensor<6x1xi64>) outs(%7 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_7: i64, %out: i64):
      %27 = arith.subi %in, %in_7 : i64
      linalg.yield %27 : i64
    } -> tensor<6x6xi64>
    %9 = tensor.empty() : tensor<6x6xi1>
    %10 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel"]} ins(%8 : tensor<6x6xi64>) outs(%9 : tensor<6x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %27 = arith.cmpi sle, %in, %c-1_i64 : i64
      linalg.yield %27 : i1
    } -> tensor<6x6xi1>
    %11 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel"]} ins(%10, %cst_2 : tensor<6x6xi1>, tensor<6x6xi1>) outs(%9 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %in_7: i1, %out: i1):
      %27 = arith.andi %in, %in_7 : i1
      linalg.yield %27 : i1
    } -> tensor<6x6xi1>
    %12 = linalg.generic {indexing_maps = [#map5, #map6, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11, %cst_1, %4 : tensor<6x6xi1>, tensor<f32>, tensor<2x6x6xf32>) outs(%1 : tensor<2x6x6xf32>) {
    ^bb0(%in: i1, %in_7: f32, %in_8: f32, %out: f32):
      %27 = arith.select %in, %in_7, %in_8 : f32
      linalg.yield %27 : f32
    } -> tensor<2x6x6xf32>
    %13 = tensor.empty() : tensor<2x6xi64>
    %14 = linalg.fill ins(%c0_i64 : i64) outs(%13 : tensor<2x6xi64>) -> tensor<2x6xi64>
    %15 = tensor.empty() : tensor<2x6xf32>
    %16 = linalg.fill ins(%cst_0 : f32) outs(%15 : tensor<2x6xf32>) -> tensor<2x6xf32>
    %17:2 = linalg.generic {indexing_maps = [#map, #map7, #map7], iterator_types = ["parallel", "reduction", "parallel"]} ins(%12 : tensor<2x6x6xf32>) outs(%16, %14 : tensor<2x6xf32>, tensor<2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_7: i64):
      %27 = linalg.index 1 : index
      %28 = arith.index_cast %27 : index to i64
      %29 = arith.maximumf %in, %out : f32
      %30 = arith.cmpf ogt, %in, %out : f32
      %31 = arith.select %30, %28, %out_7 : i64
      linalg.yield %29, %31 : f32, i64
    } -> (tensor<2x6xf32>, tensor<2x6xi64>)
    %expanded_5 = tensor.expand_shape %17#0 [[0, 1], [2]] output_shape [2, 1, 6] : tensor<2x6xf32> into tensor<2x1x6xf32>
    %18 = linalg.generic {indexing_maps = [#map, #map8, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%12, %expanded_5 : tensor<2x6x6xf32>, tensor<2x1x6xf32>) outs(%1 : tensor<2x6x6xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %27 = arith.subf %in, %in_7 : f32
      linalg.yield %27 : f32
    } -> tensor<2x6x6xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%18 : tensor<2x6x6xf32>) outs(%1 : tensor<2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %27 = math.exp %in : f32
      linalg.yield %27 : f32
    } -> tensor<2x6x6xf32>
    %20 = tensor.empty() : tensor<2x1x6xf32>
    %21 = linalg.fill ins(%cst : f32) outs(%20 : tensor<2x1x6xf32>) -> tensor<2x1x6xf32>
    %22 = linalg.generic {indexing_maps = [#map, #map8], iterator_types = ["parallel", "reduction", "parallel"]} ins(%19 : tensor<2x6x6xf32>) outs(%21 : tensor<2x1x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %27 = arith.addf %in, %out : f32
      linalg.yield %27 : f32
    } -> tensor<2x1x6xf32>
    %23 = linalg.generic {indexing_maps = [#map, #map8, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%19, %22 : tensor<2x6x6xf32>, tensor<2x1x6xf32>) outs(%1 : tensor<2x6x6xf32>) {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %27 = arith.divf %in, %in_7 : f32
      linalg.yield %27 : f32
    } -> tensor<2x6x6xf32>
    %transposed_6 = linalg.transpose ins(%23 : tensor<2x6x6xf32>) outs(%1 : tensor<2x6x6xf32>) permutation = [0, 2, 1]
    %24 = tensor.empty() : tensor<2x6x4xf32>
    %25 = linalg.fill ins(%cst : f32) outs(%24 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %26 = linalg.batch_matmul ins(%transposed_6, %arg2 : tensor<2x6x6xf32>, tensor<2x6x4xf32>) outs(%25 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    return %26 : tensor<2x6x4xf32>
  }
}
