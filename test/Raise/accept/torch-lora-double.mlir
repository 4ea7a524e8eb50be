// In double precision.
//
// ARGS: normal small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.lora_linear {{.*}}scale {{(1\.9999[0-9]*|2\.0000[0-9]*|2\.000000e\+00)}}{{.*}}xf64>
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  func.func @main(%arg0: tensor<5x8xf64>, %arg1: tensor<6x8xf64>, %arg2: tensor<2x8xf64>, %arg3: tensor<6x2xf64>) -> tensor<5x6xf64> {
    %cst = arith.constant 0.000000e+00 : f64
    %cst_0 = arith.constant 2.000000e+00 : f64
    %0 = tensor.empty() : tensor<8x6xf64>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x8xf64>) outs(%0 : tensor<8x6xf64>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<5x6xf64>
    %2 = linalg.fill ins(%cst : f64) outs(%1 : tensor<5x6xf64>) -> tensor<5x6xf64>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<5x8xf64>, tensor<8x6xf64>) outs(%2 : tensor<5x6xf64>) -> tensor<5x6xf64>
    %4 = tensor.empty() : tensor<8x2xf64>
    %transposed_1 = linalg.transpose ins(%arg2 : tensor<2x8xf64>) outs(%4 : tensor<8x2xf64>) permutation = [1, 0]
    %5 = tensor.empty() : tensor<5x2xf64>
    %6 = linalg.fill ins(%cst : f64) outs(%5 : tensor<5x2xf64>) -> tensor<5x2xf64>
    %7 = linalg.matmul ins(%arg0, %transposed_1 : tensor<5x8xf64>, tensor<8x2xf64>) outs(%6 : tensor<5x2xf64>) -> tensor<5x2xf64>
    %8 = tensor.empty() : tensor<2x6xf64>
    %transposed_2 = linalg.transpose ins(%arg3 : tensor<6x2xf64>) outs(%8 : tensor<2x6xf64>) permutation = [1, 0]
    %9 = linalg.matmul ins(%7, %transposed_2 : tensor<5x2xf64>, tensor<2x6xf64>) outs(%2 : tensor<5x6xf64>) -> tensor<5x6xf64>
    %10 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%9 : tensor<5x6xf64>) outs(%1 : tensor<5x6xf64>) {
    ^bb0(%in: f64, %out: f64):
      %12 = arith.mulf %in, %cst_0 : f64
      linalg.yield %12 : f64
    } -> tensor<5x6xf64>
    %11 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%3, %10 : tensor<5x6xf64>, tensor<5x6xf64>) outs(%1 : tensor<5x6xf64>) {
    ^bb0(%in: f64, %in_3: f64, %out: f64):
      %12 = arith.addf %in, %in_3 : f64
      linalg.yield %12 : f64
    } -> tensor<5x6xf64>
    return %11 : tensor<5x6xf64>
  }
}
