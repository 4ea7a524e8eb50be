// Next-scale attention: level ids are compared with a finite fill; the last scale's queries against a cache.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask block_causal<scales = [5, 9], align = end>
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1) -> (d0, 0)>
#map1 = affine_map<(d0, d1) -> (0, d1)>
#map2 = affine_map<(d0, d1) -> (d0, d1)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1, d2) -> (d1, d2)>
#map5 = affine_map<(d0, d1, d2) -> ()>
#map6 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map7 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x11x4xf32>, %arg1: tensor<2x14x4xf32>, %arg2: tensor<2x14x4xf32>) -> tensor<2x11x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<-1.000000e+09> : tensor<f32>
    %cst_2 = arith.constant 5.000000e-01 : f32
    %cst_3 = arith.constant dense<[[1], [1], [2], [2], [2], [2], [2], [2], [2], [2], [2]]> : tensor<11x1xi64>
    %cst_4 = arith.constant dense<[[0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]]> : tensor<1x14xi64>
    %0 = tensor.empty() : tensor<11x14xi1>
    %1 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel"]} ins(%cst_3, %cst_4 : tensor<11x1xi64>, tensor<1x14xi64>) outs(%0 : tensor<11x14xi1>) {
    ^bb0(%in: i64, %in_5: i64, %out: i1):
      %22 = arith.cmpi sge, %in, %in_5 : i64
      linalg.yield %22 : i1
    } -> tensor<11x14xi1>
    %2 = tensor.empty() : tensor<2x4x14xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x14x4xf32>) outs(%2 : tensor<2x4x14xf32>) permutation = [0, 2, 1]
    %3 = tensor.empty() : tensor<2x11x14xf32>
    %4 = linalg.fill ins(%cst : f32) outs(%3 : tensor<2x11x14xf32>) -> tensor<2x11x14xf32>
    %5 = linalg.batch_matmul ins(%arg0, %transposed : tensor<2x11x4xf32>, tensor<2x4x14xf32>) outs(%4 : tensor<2x11x14xf32>) -> tensor<2x11x14xf32>
    %6 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%5 : tensor<2x11x14xf32>) outs(%3 : tensor<2x11x14xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.mulf %in, %cst_2 : f32
      linalg.yield %22 : f32
    } -> tensor<2x11x14xf32>
    %7 = linalg.generic {indexing_maps = [#map4, #map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%1, %6, %cst_1 : tensor<11x14xi1>, tensor<2x11x14xf32>, tensor<f32>) outs(%3 : tensor<2x11x14xf32>) {
    ^bb0(%in: i1, %in_5: f32, %in_6: f32, %out: f32):
      %22 = arith.select %in, %in_5, %in_6 : f32
      linalg.yield %22 : f32
    } -> tensor<2x11x14xf32>
    %8 = tensor.empty() : tensor<2x11xi64>
    %9 = linalg.fill ins(%c0_i64 : i64) outs(%8 : tensor<2x11xi64>) -> tensor<2x11xi64>
    %10 = tensor.empty() : tensor<2x11xf32>
    %11 = linalg.fill ins(%cst_0 : f32) outs(%10 : tensor<2x11xf32>) -> tensor<2x11xf32>
    %12:2 = linalg.generic {indexing_maps = [#map3, #map6, #map6], iterator_types = ["parallel", "parallel", "reduction"]} ins(%7 : tensor<2x11x14xf32>) outs(%11, %9 : tensor<2x11xf32>, tensor<2x11xi64>) {
    ^bb0(%in: f32, %out: f32, %out_5: i64):
      %22 = linalg.index 2 : index
      %23 = arith.index_cast %22 : index to i64
      %24 = arith.maximumf %in, %out : f32
      %25 = arith.cmpf ogt, %in, %out : f32
      %26 = arith.select %25, %23, %out_5 : i64
      linalg.yield %24, %26 : f32, i64
    } -> (tensor<2x11xf32>, tensor<2x11xi64>)
    %expanded = tensor.expand_shape %12#0 [[0], [1, 2]] output_shape [2, 11, 1] : tensor<2x11xf32> into tensor<2x11x1xf32>
    %13 = linalg.generic {indexing_maps = [#map3, #map7, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%7, %expanded : tensor<2x11x14xf32>, tensor<2x11x1xf32>) outs(%3 : tensor<2x11x14xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %22 = arith.subf %in, %in_5 : f32
      linalg.yield %22 : f32
    } -> tensor<2x11x14xf32>
    %14 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%13 : tensor<2x11x14xf32>) outs(%3 : tensor<2x11x14xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = math.exp %in : f32
      linalg.yield %22 : f32
    } -> tensor<2x11x14xf32>
    %15 = tensor.empty() : tensor<2x11x1xf32>
    %16 = linalg.fill ins(%cst : f32) outs(%15 : tensor<2x11x1xf32>) -> tensor<2x11x1xf32>
    %17 = linalg.generic {indexing_maps = [#map3, #map7], iterator_types = ["parallel", "parallel", "reduction"]} ins(%14 : tensor<2x11x14xf32>) outs(%16 : tensor<2x11x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.addf %in, %out : f32
      linalg.yield %22 : f32
    } -> tensor<2x11x1xf32>
    %18 = linalg.generic {indexing_maps = [#map3, #map7, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%14, %17 : tensor<2x11x14xf32>, tensor<2x11x1xf32>) outs(%3 : tensor<2x11x14xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %22 = arith.divf %in, %in_5 : f32
      linalg.yield %22 : f32
    } -> tensor<2x11x14xf32>
    %19 = tensor.empty() : tensor<2x11x4xf32>
    %20 = linalg.fill ins(%cst : f32) outs(%19 : tensor<2x11x4xf32>) -> tensor<2x11x4xf32>
    %21 = linalg.batch_matmul ins(%18, %arg2 : tensor<2x11x14xf32>, tensor<2x14x4xf32>) outs(%20 : tensor<2x11x4xf32>) -> tensor<2x11x4xf32>
    return %21 : tensor<2x11x4xf32>
  }
}
