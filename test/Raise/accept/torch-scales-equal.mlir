// Block-causal in equal blocks by a quotient of indices.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask block_causal<scales = [4, 4, 4]>
// CHECK-NOT: math.exp

#map = affine_map<(d0) -> (d0)>
#map1 = affine_map<(d0) -> ()>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1) -> (d0, 0)>
#map4 = affine_map<(d0, d1) -> (0, d1)>
#map5 = affine_map<(d0, d1) -> (d0, d1)>
#map6 = affine_map<(d0, d1, d2) -> (d1, d2)>
#map7 = affine_map<(d0, d1, d2) -> ()>
#map8 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map9 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x12x4xf32>, %arg1: tensor<2x12x4xf32>, %arg2: tensor<2x12x4xf32>) -> tensor<2x12x4xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant 5.000000e-01 : f32
    %cst_3 = arith.constant dense<4> : tensor<i64>
    %0 = tensor.empty() : tensor<12xi64>
    %1 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%0 : tensor<12xi64>) {
    ^bb0(%out: i64):
      %25 = linalg.index 0 : index
      %26 = arith.index_cast %25 : index to i64
      linalg.yield %26 : i64
    } -> tensor<12xi64>
    %2 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel"]} ins(%1, %cst_3 : tensor<12xi64>, tensor<i64>) outs(%0 : tensor<12xi64>) {
    ^bb0(%in: i64, %in_6: i64, %out: i64):
      %25 = arith.sitofp %in : i64 to f64
      %26 = arith.sitofp %in_6 : i64 to f64
      %27 = arith.divf %25, %26 : f64
      %28 = math.floor %27 : f64
      %29 = arith.fptosi %28 : f64 to i64
      linalg.yield %29 : i64
    } -> tensor<12xi64>
    %3 = tensor.empty() : tensor<2x4x12xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x12x4xf32>) outs(%3 : tensor<2x4x12xf32>) permutation = [0, 2, 1]
    %4 = tensor.empty() : tensor<2x12x12xf32>
    %5 = linalg.fill ins(%cst : f32) outs(%4 : tensor<2x12x12xf32>) -> tensor<2x12x12xf32>
    %6 = linalg.batch_matmul ins(%arg0, %transposed : tensor<2x12x4xf32>, tensor<2x4x12xf32>) outs(%5 : tensor<2x12x12xf32>) -> tensor<2x12x12xf32>
    %7 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%6 : tensor<2x12x12xf32>) outs(%4 : tensor<2x12x12xf32>) {
    ^bb0(%in: f32, %out: f32):
      %25 = arith.mulf %in, %cst_2 : f32
      linalg.yield %25 : f32
    } -> tensor<2x12x12xf32>
    %expanded = tensor.expand_shape %2 [[0, 1]] output_shape [12, 1] : tensor<12xi64> into tensor<12x1xi64>
    %expanded_4 = tensor.expand_shape %2 [[0, 1]] output_shape [1, 12] : tensor<12xi64> into tensor<1x12xi64>
    %8 = tensor.empty() : tensor<12x12xi1>
    %9 = linalg.generic {indexing_maps = [#map3, #map4, #map5], iterator_types = ["parallel", "parallel"]} ins(%expanded, %expanded_4 : tensor<12x1xi64>, tensor<1x12xi64>) outs(%8 : tensor<12x12xi1>) {
    ^bb0(%in: i64, %in_6: i64, %out: i1):
      %25 = arith.cmpi slt, %in, %in_6 : i64
      linalg.yield %25 : i1
    } -> tensor<12x12xi1>
    %10 = linalg.generic {indexing_maps = [#map6, #map7, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%9, %cst_1, %7 : tensor<12x12xi1>, tensor<f32>, tensor<2x12x12xf32>) outs(%4 : tensor<2x12x12xf32>) {
    ^bb0(%in: i1, %in_6: f32, %in_7: f32, %out: f32):
      %25 = arith.select %in, %in_6, %in_7 : f32
      linalg.yield %25 : f32
    } -> tensor<2x12x12xf32>
    %11 = tensor.empty() : tensor<2x12xi64>
    %12 = linalg.fill ins(%c0_i64 : i64) outs(%11 : tensor<2x12xi64>) -> tensor<2x12xi64>
    %13 = tensor.empty() : tensor<2x12xf32>
    %14 = linalg.fill ins(%cst_0 : f32) outs(%13 : tensor<2x12xf32>) -> tensor<2x12xf32>
    %15:2 = linalg.generic {indexing_maps = [#map2, #map8, #map8], iterator_types = ["parallel", "parallel", "reduction"]} ins(%10 : tensor<2x12x12xf32>) outs(%14, %12 : tensor<2x12xf32>, tensor<2x12xi64>) {
    ^bb0(%in: f32, %out: f32, %out_6: i64):
      %25 = linalg.index 2 : index
      %26 = arith.index_cast %25 : index to i64
      %27 = arith.maximumf %in, %out : f32
      %28 = arith.cmpf ogt, %in, %out : f32
      %29 = arith.select %28, %26, %out_6 : i64
      linalg.yield %27, %29 : f32, i64
    } -> (tensor<2x12xf32>, tensor<2x12xi64>)
    %expanded_5 = tensor.expand_shape %15#0 [[0], [1, 2]] output_shape [2, 12, 1] : tensor<2x12xf32> into tensor<2x12x1xf32>
    %16 = linalg.generic {indexing_maps = [#map2, #map9, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%10, %expanded_5 : tensor<2x12x12xf32>, tensor<2x12x1xf32>) outs(%4 : tensor<2x12x12xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %25 = arith.subf %in, %in_6 : f32
      linalg.yield %25 : f32
    } -> tensor<2x12x12xf32>
    %17 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%16 : tensor<2x12x12xf32>) outs(%4 : tensor<2x12x12xf32>) {
    ^bb0(%in: f32, %out: f32):
      %25 = math.exp %in : f32
      linalg.yield %25 : f32
    } -> tensor<2x12x12xf32>
    %18 = tensor.empty() : tensor<2x12x1xf32>
    %19 = linalg.fill ins(%cst : f32) outs(%18 : tensor<2x12x1xf32>) -> tensor<2x12x1xf32>
    %20 = linalg.generic {indexing_maps = [#map2, #map9], iterator_types = ["parallel", "parallel", "reduction"]} ins(%17 : tensor<2x12x12xf32>) outs(%19 : tensor<2x12x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %25 = arith.addf %in, %out : f32
      linalg.yield %25 : f32
    } -> tensor<2x12x1xf32>
    %21 = linalg.generic {indexing_maps = [#map2, #map9, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%17, %20 : tensor<2x12x12xf32>, tensor<2x12x1xf32>) outs(%4 : tensor<2x12x12xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %25 = arith.divf %in, %in_6 : f32
      linalg.yield %25 : f32
    } -> tensor<2x12x12xf32>
    %22 = tensor.empty() : tensor<2x12x4xf32>
    %23 = linalg.fill ins(%cst : f32) outs(%22 : tensor<2x12x4xf32>) -> tensor<2x12x4xf32>
    %24 = linalg.batch_matmul ins(%21, %arg2 : tensor<2x12x12xf32>, tensor<2x12x4xf32>) outs(%23 : tensor<2x12x4xf32>) -> tensor<2x12x4xf32>
    return %24 : tensor<2x12x4xf32>
  }
}
