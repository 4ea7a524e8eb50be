// Sliding window as a band of two triangles.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask sliding_window<left = 3, right = 1
// CHECK-NOT: math.exp

#map = affine_map<(d0) -> (d0)>
#map1 = affine_map<(d0, d1) -> (0, d1)>
#map2 = affine_map<(d0, d1) -> (d0, 0)>
#map3 = affine_map<(d0, d1) -> (d0, d1)>
#map4 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map5 = affine_map<(d0, d1, d2) -> (d1, d2)>
#map6 = affine_map<(d0, d1, d2) -> ()>
#map7 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map8 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x8x4xf32>, %arg1: tensor<2x8x4xf32>, %arg2: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
    %c-3_i64 = arith.constant -3 : i64
    %c0_i64 = arith.constant 0 : i64
    %c1_i64 = arith.constant 1 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<true> : tensor<8x8xi1>
    %cst_3 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<8xi64>
    %1 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%0 : tensor<8xi64>) {
    ^bb0(%out: i64):
      %29 = linalg.index 0 : index
      %30 = arith.index_cast %29 : index to i64
      linalg.yield %30 : i64
    } -> tensor<8xi64>
    %expanded = tensor.expand_shape %1 [[0, 1]] output_shape [1, 8] : tensor<8xi64> into tensor<1x8xi64>
    %expanded_4 = tensor.expand_shape %1 [[0, 1]] output_shape [8, 1] : tensor<8xi64> into tensor<8x1xi64>
    %2 = tensor.empty() : tensor<8x8xi64>
    %3 = linalg.generic {indexing_maps = [#map1, #map2, #map3], iterator_types = ["parallel", "parallel"]} ins(%expanded, %expanded_4 : tensor<1x8xi64>, tensor<8x1xi64>) outs(%2 : tensor<8x8xi64>) {
    ^bb0(%in: i64, %in_6: i64, %out: i64):
      %29 = arith.subi %in, %in_6 : i64
      linalg.yield %29 : i64
    } -> tensor<8x8xi64>
    %4 = tensor.empty() : tensor<8x8xi1>
    %5 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<8x8xi64>) outs(%4 : tensor<8x8xi1>) {
    ^bb0(%in: i64, %out: i1):
      %29 = arith.cmpi sle, %in, %c1_i64 : i64
      linalg.yield %29 : i1
    } -> tensor<8x8xi1>
    %6 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%5, %cst_2 : tensor<8x8xi1>, tensor<8x8xi1>) outs(%4 : tensor<8x8xi1>) {
    ^bb0(%in: i1, %in_6: i1, %out: i1):
      %29 = arith.andi %in, %in_6 : i1
      linalg.yield %29 : i1
    } -> tensor<8x8xi1>
    %7 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<8x8xi64>) outs(%4 : tensor<8x8xi1>) {
    ^bb0(%in: i64, %out: i1):
      %29 = arith.cmpi sge, %in, %c-3_i64 : i64
      linalg.yield %29 : i1
    } -> tensor<8x8xi1>
    %8 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%7, %6 : tensor<8x8xi1>, tensor<8x8xi1>) outs(%4 : tensor<8x8xi1>) {
    ^bb0(%in: i1, %in_6: i1, %out: i1):
      %29 = arith.andi %in, %in_6 : i1
      linalg.yield %29 : i1
    } -> tensor<8x8xi1>
    %9 = tensor.empty() : tensor<2x4x8xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x8x4xf32>) outs(%9 : tensor<2x4x8xf32>) permutation = [0, 2, 1]
    %10 = tensor.empty() : tensor<2x8x8xf32>
    %11 = linalg.fill ins(%cst : f32) outs(%10 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
    %12 = linalg.batch_matmul ins(%arg0, %transposed : tensor<2x8x4xf32>, tensor<2x4x8xf32>) outs(%11 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
    %13 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%12 : tensor<2x8x8xf32>) outs(%10 : tensor<2x8x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = arith.mulf %in, %cst_3 : f32
      linalg.yield %29 : f32
    } -> tensor<2x8x8xf32>
    %14 = linalg.generic {indexing_maps = [#map5, #map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %13, %cst_1 : tensor<8x8xi1>, tensor<2x8x8xf32>, tensor<f32>) outs(%10 : tensor<2x8x8xf32>) {
    ^bb0(%in: i1, %in_6: f32, %in_7: f32, %out: f32):
      %29 = arith.select %in, %in_6, %in_7 : f32
      linalg.yield %29 : f32
    } -> tensor<2x8x8xf32>
    %15 = tensor.empty() : tensor<2x8xi64>
    %16 = linalg.fill ins(%c0_i64 : i64) outs(%15 : tensor<2x8xi64>) -> tensor<2x8xi64>
    %17 = tensor.empty() : tensor<2x8xf32>
    %18 = linalg.fill ins(%cst_0 : f32) outs(%17 : tensor<2x8xf32>) -> tensor<2x8xf32>
    %19:2 = linalg.generic {indexing_maps = [#map4, #map7, #map7], iterator_types = ["parallel", "parallel", "reduction"]} ins(%14 : tensor<2x8x8xf32>) outs(%18, %16 : tensor<2x8xf32>, tensor<2x8xi64>) {
    ^bb0(%in: f32, %out: f32, %out_6: i64):
      %29 = linalg.index 2 : index
      %30 = arith.index_cast %29 : index to i64
      %31 = arith.maximumf %in, %out : f32
      %32 = arith.cmpf ogt, %in, %out : f32
      %33 = arith.select %32, %30, %out_6 : i64
      linalg.yield %31, %33 : f32, i64
    } -> (tensor<2x8xf32>, tensor<2x8xi64>)
    %expanded_5 = tensor.expand_shape %19#0 [[0], [1, 2]] output_shape [2, 8, 1] : tensor<2x8xf32> into tensor<2x8x1xf32>
    %20 = linalg.generic {indexing_maps = [#map4, #map8, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%14, %expanded_5 : tensor<2x8x8xf32>, tensor<2x8x1xf32>) outs(%10 : tensor<2x8x8xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %29 = arith.subf %in, %in_6 : f32
      linalg.yield %29 : f32
    } -> tensor<2x8x8xf32>
    %21 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%20 : tensor<2x8x8xf32>) outs(%10 : tensor<2x8x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = math.exp %in : f32
      linalg.yield %29 : f32
    } -> tensor<2x8x8xf32>
    %22 = tensor.empty() : tensor<2x8x1xf32>
    %23 = linalg.fill ins(%cst : f32) outs(%22 : tensor<2x8x1xf32>) -> tensor<2x8x1xf32>
    %24 = linalg.generic {indexing_maps = [#map4, #map8], iterator_types = ["parallel", "parallel", "reduction"]} ins(%21 : tensor<2x8x8xf32>) outs(%23 : tensor<2x8x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = arith.addf %in, %out : f32
      linalg.yield %29 : f32
    } -> tensor<2x8x1xf32>
    %25 = linalg.generic {indexing_maps = [#map4, #map8, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%21, %24 : tensor<2x8x8xf32>, tensor<2x8x1xf32>) outs(%10 : tensor<2x8x8xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %29 = arith.divf %in, %in_6 : f32
      linalg.yield %29 : f32
    } -> tensor<2x8x8xf32>
    %26 = tensor.empty() : tensor<2x8x4xf32>
    %27 = linalg.fill ins(%cst : f32) outs(%26 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
    %28 = linalg.batch_matmul ins(%25, %arg2 : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%27 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
    return %28 : tensor<2x8x4xf32>
  }
}
