// A cache: positions of queries start at m - n.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.49999[0-9]*|0\.50000[0-9]*|0\.5[0-9]*|4\.9999[0-9]*e-01|5\.0000[0-9]*e-01)}} mask causal<align = end>
// CHECK-NOT: math.exp

#map = affine_map<(d0) -> (d0)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map2 = affine_map<(d0, d1) -> (0, d1)>
#map3 = affine_map<(d0, d1) -> (d0, 0)>
#map4 = affine_map<(d0, d1) -> (d0, d1)>
#map5 = affine_map<(d0, d1, d2) -> (d1, d2)>
#map6 = affine_map<(d0, d1, d2) -> ()>
#map7 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map8 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<2x8x4xf32>, %arg2: tensor<2x8x4xf32>) -> tensor<2x3x4xf32> {
    %c5_i64 = arith.constant 5 : i64
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<3xi64>
    %1 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%0 : tensor<3xi64>) {
    ^bb0(%out: i64):
      %26 = linalg.index 0 : index
      %27 = arith.index_cast %26 : index to i64
      %28 = arith.addi %27, %c5_i64 : i64
      linalg.yield %28 : i64
    } -> tensor<3xi64>
    %expanded = tensor.expand_shape %1 [[0, 1]] output_shape [3, 1] : tensor<3xi64> into tensor<3x1xi64>
    %2 = tensor.empty() : tensor<8xi64>
    %3 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%2 : tensor<8xi64>) {
    ^bb0(%out: i64):
      %26 = linalg.index 0 : index
      %27 = arith.index_cast %26 : index to i64
      linalg.yield %27 : i64
    } -> tensor<8xi64>
    %expanded_3 = tensor.expand_shape %3 [[0, 1]] output_shape [1, 8] : tensor<8xi64> into tensor<1x8xi64>
    %4 = tensor.empty() : tensor<2x4x8xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x8x4xf32>) outs(%4 : tensor<2x4x8xf32>) permutation = [0, 2, 1]
    %5 = tensor.empty() : tensor<2x3x8xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
    %7 = linalg.batch_matmul ins(%arg0, %transposed : tensor<2x3x4xf32>, tensor<2x4x8xf32>) outs(%6 : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
    %8 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%7 : tensor<2x3x8xf32>) outs(%5 : tensor<2x3x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.mulf %in, %cst_2 : f32
      linalg.yield %26 : f32
    } -> tensor<2x3x8xf32>
    %9 = tensor.empty() : tensor<3x8xi1>
    %10 = linalg.generic {indexing_maps = [#map2, #map3, #map4], iterator_types = ["parallel", "parallel"]} ins(%expanded_3, %expanded : tensor<1x8xi64>, tensor<3x1xi64>) outs(%9 : tensor<3x8xi1>) {
    ^bb0(%in: i64, %in_5: i64, %out: i1):
      %26 = arith.cmpi sgt, %in, %in_5 : i64
      linalg.yield %26 : i1
    } -> tensor<3x8xi1>
    %11 = linalg.generic {indexing_maps = [#map5, #map6, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%10, %cst_1, %8 : tensor<3x8xi1>, tensor<f32>, tensor<2x3x8xf32>) outs(%5 : tensor<2x3x8xf32>) {
    ^bb0(%in: i1, %in_5: f32, %in_6: f32, %out: f32):
      %26 = arith.select %in, %in_5, %in_6 : f32
      linalg.yield %26 : f32
    } -> tensor<2x3x8xf32>
    %12 = tensor.empty() : tensor<2x3xi64>
    %13 = linalg.fill ins(%c0_i64 : i64) outs(%12 : tensor<2x3xi64>) -> tensor<2x3xi64>
    %14 = tensor.empty() : tensor<2x3xf32>
    %15 = linalg.fill ins(%cst_0 : f32) outs(%14 : tensor<2x3xf32>) -> tensor<2x3xf32>
    %16:2 = linalg.generic {indexing_maps = [#map1, #map7, #map7], iterator_types = ["parallel", "parallel", "reduction"]} ins(%11 : tensor<2x3x8xf32>) outs(%15, %13 : tensor<2x3xf32>, tensor<2x3xi64>) {
    ^bb0(%in: f32, %out: f32, %out_5: i64):
      %26 = linalg.index 2 : index
      %27 = arith.index_cast %26 : index to i64
      %28 = arith.maximumf %in, %out : f32
      %29 = arith.cmpf ogt, %in, %out : f32
      %30 = arith.select %29, %27, %out_5 : i64
      linalg.yield %28, %30 : f32, i64
    } -> (tensor<2x3xf32>, tensor<2x3xi64>)
    %expanded_4 = tensor.expand_shape %16#0 [[0], [1, 2]] output_shape [2, 3, 1] : tensor<2x3xf32> into tensor<2x3x1xf32>
    %17 = linalg.generic {indexing_maps = [#map1, #map8, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11, %expanded_4 : tensor<2x3x8xf32>, tensor<2x3x1xf32>) outs(%5 : tensor<2x3x8xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %26 = arith.subf %in, %in_5 : f32
      linalg.yield %26 : f32
    } -> tensor<2x3x8xf32>
    %18 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%17 : tensor<2x3x8xf32>) outs(%5 : tensor<2x3x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = math.exp %in : f32
      linalg.yield %26 : f32
    } -> tensor<2x3x8xf32>
    %19 = tensor.empty() : tensor<2x3x1xf32>
    %20 = linalg.fill ins(%cst : f32) outs(%19 : tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
    %21 = linalg.generic {indexing_maps = [#map1, #map8], iterator_types = ["parallel", "parallel", "reduction"]} ins(%18 : tensor<2x3x8xf32>) outs(%20 : tensor<2x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.addf %in, %out : f32
      linalg.yield %26 : f32
    } -> tensor<2x3x1xf32>
    %22 = linalg.generic {indexing_maps = [#map1, #map8, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%18, %21 : tensor<2x3x8xf32>, tensor<2x3x1xf32>) outs(%5 : tensor<2x3x8xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %26 = arith.divf %in, %in_5 : f32
      linalg.yield %26 : f32
    } -> tensor<2x3x8xf32>
    %23 = tensor.empty() : tensor<2x3x4xf32>
    %24 = linalg.fill ins(%cst : f32) outs(%23 : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
    %25 = linalg.batch_matmul ins(%22, %arg2 : tensor<2x3x8xf32>, tensor<2x8x4xf32>) outs(%24 : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
    return %25 : tensor<2x3x4xf32>
  }
}
