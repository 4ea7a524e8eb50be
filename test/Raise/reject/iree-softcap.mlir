// Soft-capped by tanh.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: scores go through tanh (soft cap): that is no softmax of products
// CHECK-NOT: = attn.

module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x7x4xf32>, %arg2: tensor<1x2x7x4xf32>) -> tensor<1x2x5x4xf32> {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 3.000000e+01 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %cst_2 = arith.constant 0.000000e+00 : f32
    %0 = tensor.empty() : tensor<1x2x4x7xf32>
    %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg1 : tensor<1x2x7x4xf32>) outs(%0 : tensor<1x2x4x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x4x7xf32>
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2], [3]] : tensor<1x2x5x4xf32> into tensor<2x5x4xf32>
    %collapsed_3 = tensor.collapse_shape %1 [[0, 1], [2], [3]] : tensor<1x2x4x7xf32> into tensor<2x4x7xf32>
    %2 = tensor.empty() : tensor<2x5x7xf32>
    %3 = linalg.fill ins(%cst_2 : f32) outs(%2 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %4 = linalg.batch_matmul ins(%collapsed, %collapsed_3 : tensor<2x5x4xf32>, tensor<2x4x7xf32>) outs(%3 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %expanded = tensor.expand_shape %4 [[0, 1], [2], [3]] output_shape [1, 2, 5, 7] : tensor<2x5x7xf32> into tensor<1x2x5x7xf32>
    %5 = tensor.empty() : tensor<1x2x5x7xf32>
    %6 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x2x5x7xf32>) outs(%5 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.mulf %in, %cst_1 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x7xf32>
    %7 = tensor.empty() : tensor<1x2x5x7xf32>
    %8 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%6 : tensor<1x2x5x7xf32>) outs(%7 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.divf %in, %cst_0 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x7xf32>
    %9 = tensor.empty() : tensor<1x2x5x7xf32>
    %10 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%8 : tensor<1x2x5x7xf32>) outs(%9 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = math.tanh %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x7xf32>
    %11 = tensor.empty() : tensor<1x2x5x7xf32>
    %12 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%10 : tensor<1x2x5x7xf32>) outs(%11 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.mulf %in, %cst_0 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x7xf32>
    %13 = tensor.empty() : tensor<1x2x5xf32>
    %14 = linalg.fill ins(%cst : f32) outs(%13 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %15 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%12 : tensor<1x2x5x7xf32>) outs(%14 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.maximumf %out, %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5xf32>
    %16 = tensor.empty() : tensor<1x2x5x7xf32>
    %17 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%15 : tensor<1x2x5xf32>) outs(%16 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %18 = tensor.empty() : tensor<1x2x5x7xf32>
    %19 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%12, %17 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%18 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %34 = arith.subf %in, %in_6 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x7xf32>
    %20 = tensor.empty() : tensor<1x2x5x7xf32>
    %21 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%19 : tensor<1x2x5x7xf32>) outs(%20 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = math.exp %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x7xf32>
    %22 = tensor.empty() : tensor<1x2x5xf32>
    %23 = linalg.fill ins(%cst_2 : f32) outs(%22 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %24 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%21 : tensor<1x2x5x7xf32>) outs(%23 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.addf %out, %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5xf32>
    %25 = tensor.empty() : tensor<1x2x5x7xf32>
    %26 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%24 : tensor<1x2x5xf32>) outs(%25 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %27 = tensor.empty() : tensor<1x2x5x7xf32>
    %28 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%21, %26 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%27 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %34 = arith.divf %in, %in_6 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x7xf32>
    %collapsed_4 = tensor.collapse_shape %28 [[0, 1], [2], [3]] : tensor<1x2x5x7xf32> into tensor<2x5x7xf32>
    %collapsed_5 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<1x2x7x4xf32> into tensor<2x7x4xf32>
    %29 = tensor.empty() : tensor<2x5x4xf32>
    %30 = linalg.fill ins(%cst_2 : f32) outs(%29 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %31 = linalg.batch_matmul ins(%collapsed_4, %collapsed_5 : tensor<2x5x7xf32>, tensor<2x7x4xf32>) outs(%30 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %32 = tensor.empty() : tensor<1x2x5x4xf32>
    %33 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%31 : tensor<2x5x4xf32>) outs(%32 : tensor<1x2x5x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x4xf32>
    return %33 : tensor<1x2x5x4xf32>
  }
}
