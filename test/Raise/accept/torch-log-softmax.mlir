// exp of log_softmax.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x5x4xf32>, %arg1: tensor<2x7x4xf32>, %arg2: tensor<2x7x4xf32>) -> tensor<2x5x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<2x4x7xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x7x4xf32>) outs(%0 : tensor<2x4x7xf32>) permutation = [0, 2, 1]
    %1 = tensor.empty() : tensor<2x5x7xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %3 = linalg.batch_matmul ins(%arg0, %transposed : tensor<2x5x4xf32>, tensor<2x4x7xf32>) outs(%2 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%3 : tensor<2x5x7xf32>) outs(%1 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %21 = arith.mulf %in, %cst_1 : f32
      linalg.yield %21 : f32
    } -> tensor<2x5x7xf32>
    %5 = tensor.empty() : tensor<2x5xi64>
    %6 = linalg.fill ins(%c0_i64 : i64) outs(%5 : tensor<2x5xi64>) -> tensor<2x5xi64>
    %7 = tensor.empty() : tensor<2x5xf32>
    %8 = linalg.fill ins(%cst_0 : f32) outs(%7 : tensor<2x5xf32>) -> tensor<2x5xf32>
    %9:2 = linalg.generic {indexing_maps = [#map, #map1, #map1], iterator_types = ["parallel", "parallel", "reduction"]} ins(%4 : tensor<2x5x7xf32>) outs(%8, %6 : tensor<2x5xf32>, tensor<2x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_2: i64):
      %21 = linalg.index 2 : index
      %22 = arith.index_cast %21 : index to i64
      %23 = arith.maximumf %in, %out : f32
      %24 = arith.cmpf ogt, %in, %out : f32
      %25 = arith.select %24, %22, %out_2 : i64
      linalg.yield %23, %25 : f32, i64
    } -> (tensor<2x5xf32>, tensor<2x5xi64>)
    %expanded = tensor.expand_shape %9#0 [[0], [1, 2]] output_shape [2, 5, 1] : tensor<2x5xf32> into tensor<2x5x1xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4, %expanded : tensor<2x5x7xf32>, tensor<2x5x1xf32>) outs(%1 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %21 = arith.subf %in, %in_2 : f32
      linalg.yield %21 : f32
    } -> tensor<2x5x7xf32>
    %11 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%10 : tensor<2x5x7xf32>) outs(%1 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %21 = math.exp %in : f32
      linalg.yield %21 : f32
    } -> tensor<2x5x7xf32>
    %12 = tensor.empty() : tensor<2x5x1xf32>
    %13 = linalg.fill ins(%cst : f32) outs(%12 : tensor<2x5x1xf32>) -> tensor<2x5x1xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "parallel", "reduction"]} ins(%11 : tensor<2x5x7xf32>) outs(%13 : tensor<2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %21 = arith.addf %in, %out : f32
      linalg.yield %21 : f32
    } -> tensor<2x5x1xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%14 : tensor<2x5x1xf32>) outs(%12 : tensor<2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %21 = math.log %in : f32
      linalg.yield %21 : f32
    } -> tensor<2x5x1xf32>
    %16 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%10, %15 : tensor<2x5x7xf32>, tensor<2x5x1xf32>) outs(%1 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %21 = arith.subf %in, %in_2 : f32
      linalg.yield %21 : f32
    } -> tensor<2x5x7xf32>
    %17 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%16 : tensor<2x5x7xf32>) outs(%1 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %21 = math.exp %in : f32
      linalg.yield %21 : f32
    } -> tensor<2x5x7xf32>
    %18 = tensor.empty() : tensor<2x5x4xf32>
    %19 = linalg.fill ins(%cst : f32) outs(%18 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %20 = linalg.batch_matmul ins(%17, %arg2 : tensor<2x5x7xf32>, tensor<2x7x4xf32>) outs(%19 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    return %20 : tensor<2x5x4xf32>
  }
}
