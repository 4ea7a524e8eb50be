// One head, maximum and sum by hand, divided late.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.49999[0-9]*|0\.50000[0-9]*|0\.5[0-9]*|4\.9999[0-9]*e-01|5\.0000[0-9]*e-01)}} :
// CHECK-NOT: math.exp

module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<7x4xf32>, %arg2: tensor<7x4xf32>) -> tensor<5x4xf32> {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 5.000000e-01 : f32
    %cst_1 = arith.constant 0.000000e+00 : f32
    %0 = tensor.empty() : tensor<4x7xf32>
    %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%arg1 : tensor<7x4xf32>) outs(%0 : tensor<4x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<4x7xf32>
    %2 = tensor.empty() : tensor<5x7xf32>
    %3 = linalg.fill ins(%cst_1 : f32) outs(%2 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %4 = linalg.matmul ins(%arg0, %1 : tensor<5x4xf32>, tensor<4x7xf32>) outs(%3 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %5 = tensor.empty() : tensor<5x7xf32>
    %6 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%4 : tensor<5x7xf32>) outs(%5 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.mulf %in, %cst_0 : f32
      linalg.yield %26 : f32
    } -> tensor<5x7xf32>
    %7 = tensor.empty() : tensor<5xf32>
    %8 = linalg.fill ins(%cst : f32) outs(%7 : tensor<5xf32>) -> tensor<5xf32>
    %9 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%6 : tensor<5x7xf32>) outs(%8 : tensor<5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.maximumf %out, %in : f32
      linalg.yield %26 : f32
    } -> tensor<5xf32>
    %10 = tensor.empty() : tensor<5x7xf32>
    %11 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%9 : tensor<5xf32>) outs(%10 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<5x7xf32>
    %12 = tensor.empty() : tensor<5x7xf32>
    %13 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%6, %11 : tensor<5x7xf32>, tensor<5x7xf32>) outs(%12 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %26 = arith.subf %in, %in_2 : f32
      linalg.yield %26 : f32
    } -> tensor<5x7xf32>
    %14 = tensor.empty() : tensor<5x7xf32>
    %15 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%13 : tensor<5x7xf32>) outs(%14 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = math.exp %in : f32
      linalg.yield %26 : f32
    } -> tensor<5x7xf32>
    %16 = tensor.empty() : tensor<5x4xf32>
    %17 = linalg.fill ins(%cst_1 : f32) outs(%16 : tensor<5x4xf32>) -> tensor<5x4xf32>
    %18 = linalg.matmul ins(%15, %arg2 : tensor<5x7xf32>, tensor<7x4xf32>) outs(%17 : tensor<5x4xf32>) -> tensor<5x4xf32>
    %19 = tensor.empty() : tensor<5xf32>
    %20 = linalg.fill ins(%cst_1 : f32) outs(%19 : tensor<5xf32>) -> tensor<5xf32>
    %21 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%15 : tensor<5x7xf32>) outs(%20 : tensor<5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.addf %out, %in : f32
      linalg.yield %26 : f32
    } -> tensor<5xf32>
    %22 = tensor.empty() : tensor<5x4xf32>
    %23 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%21 : tensor<5xf32>) outs(%22 : tensor<5x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<5x4xf32>
    %24 = tensor.empty() : tensor<5x4xf32>
    %25 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%18, %23 : tensor<5x4xf32>, tensor<5x4xf32>) outs(%24 : tensor<5x4xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %26 = arith.divf %in, %in_2 : f32
      linalg.yield %26 : f32
    } -> tensor<5x4xf32>
    return %25 : tensor<5x4xf32>
  }
}
