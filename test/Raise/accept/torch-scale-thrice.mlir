// Scale in three places, one of them a division.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.59999[0-9]*|0\.60000[0-9]*|0\.6[0-9]*|5\.9999[0-9]*e-01|6\.0000[0-9]*e-01)}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x5x4xf32>, %arg1: tensor<2x7x4xf32>, %arg2: tensor<2x7x4xf32>) -> tensor<2x5x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 2.000000e+00 : f32
    %cst_2 = arith.constant 5.000000e+00 : f32
    %cst_3 = arith.constant 1.500000e+00 : f32
    %0 = tensor.empty() : tensor<2x5x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0 : tensor<2x5x4xf32>) outs(%0 : tensor<2x5x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.mulf %in, %cst_1 : f32
      linalg.yield %22 : f32
    } -> tensor<2x5x4xf32>
    %2 = tensor.empty() : tensor<2x7x4xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg1 : tensor<2x7x4xf32>) outs(%2 : tensor<2x7x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.divf %in, %cst_2 : f32
      linalg.yield %22 : f32
    } -> tensor<2x7x4xf32>
    %4 = tensor.empty() : tensor<2x4x7xf32>
    %transposed = linalg.transpose ins(%3 : tensor<2x7x4xf32>) outs(%4 : tensor<2x4x7xf32>) permutation = [0, 2, 1]
    %5 = tensor.empty() : tensor<2x5x7xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %7 = linalg.batch_matmul ins(%1, %transposed : tensor<2x5x4xf32>, tensor<2x4x7xf32>) outs(%6 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%7 : tensor<2x5x7xf32>) outs(%5 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.mulf %in, %cst_3 : f32
      linalg.yield %22 : f32
    } -> tensor<2x5x7xf32>
    %9 = tensor.empty() : tensor<2x5xi64>
    %10 = linalg.fill ins(%c0_i64 : i64) outs(%9 : tensor<2x5xi64>) -> tensor<2x5xi64>
    %11 = tensor.empty() : tensor<2x5xf32>
    %12 = linalg.fill ins(%cst_0 : f32) outs(%11 : tensor<2x5xf32>) -> tensor<2x5xf32>
    %13:2 = linalg.generic {indexing_maps = [#map, #map1, #map1], iterator_types = ["parallel", "parallel", "reduction"]} ins(%8 : tensor<2x5x7xf32>) outs(%12, %10 : tensor<2x5xf32>, tensor<2x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_4: i64):
      %22 = linalg.index 2 : index
      %23 = arith.index_cast %22 : index to i64
      %24 = arith.maximumf %in, %out : f32
      %25 = arith.cmpf ogt, %in, %out : f32
      %26 = arith.select %25, %23, %out_4 : i64
      linalg.yield %24, %26 : f32, i64
    } -> (tensor<2x5xf32>, tensor<2x5xi64>)
    %expanded = tensor.expand_shape %13#0 [[0], [1, 2]] output_shape [2, 5, 1] : tensor<2x5xf32> into tensor<2x5x1xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %expanded : tensor<2x5x7xf32>, tensor<2x5x1xf32>) outs(%5 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %22 = arith.subf %in, %in_4 : f32
      linalg.yield %22 : f32
    } -> tensor<2x5x7xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%14 : tensor<2x5x7xf32>) outs(%5 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = math.exp %in : f32
      linalg.yield %22 : f32
    } -> tensor<2x5x7xf32>
    %16 = tensor.empty() : tensor<2x5x1xf32>
    %17 = linalg.fill ins(%cst : f32) outs(%16 : tensor<2x5x1xf32>) -> tensor<2x5x1xf32>
    %18 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "parallel", "reduction"]} ins(%15 : tensor<2x5x7xf32>) outs(%17 : tensor<2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.addf %in, %out : f32
      linalg.yield %22 : f32
    } -> tensor<2x5x1xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%15, %18 : tensor<2x5x7xf32>, tensor<2x5x1xf32>) outs(%5 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %22 = arith.divf %in, %in_4 : f32
      linalg.yield %22 : f32
    } -> tensor<2x5x7xf32>
    %20 = linalg.fill ins(%cst : f32) outs(%0 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %21 = linalg.batch_matmul ins(%19, %arg2 : tensor<2x5x7xf32>, tensor<2x7x4xf32>) outs(%20 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    return %21 : tensor<2x5x4xf32>
  }
}
