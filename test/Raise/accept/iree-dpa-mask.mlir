// A boolean mask as an argument.
//
// ARGS: normal normal normal keep
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

module {
  func.func @main(%arg0: tensor<1x5x2x4xf32>, %arg1: tensor<1x7x2x4xf32>, %arg2: tensor<1x7x2x4xf32>, %arg3: tensor<1x1x5x7xi1>) -> tensor<1x5x2x4xf32> {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant -2.38197633E+38 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %cst_2 = arith.constant 0.000000e+00 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1], [2], [3, 4]] output_shape [1, 5, 2, 1, 4] : tensor<1x5x2x4xf32> into tensor<1x5x2x1x4xf32>
    %0 = tensor.empty() : tensor<1x2x5x1x4xf32>
    %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x5x2x1x4xf32>) outs(%0 : tensor<1x2x5x1x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x1x4xf32>
    %2 = tensor.empty() : tensor<1x2x4x7xf32>
    %3 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg1 : tensor<1x7x2x4xf32>) outs(%2 : tensor<1x2x4x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x4x7xf32>
    %collapsed = tensor.collapse_shape %1 [[0, 1], [2], [3, 4]] : tensor<1x2x5x1x4xf32> into tensor<2x5x4xf32>
    %collapsed_3 = tensor.collapse_shape %3 [[0, 1], [2], [3]] : tensor<1x2x4x7xf32> into tensor<2x4x7xf32>
    %4 = tensor.empty() : tensor<2x5x7xf32>
    %5 = linalg.fill ins(%cst_2 : f32) outs(%4 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %6 = linalg.batch_matmul ins(%collapsed, %collapsed_3 : tensor<2x5x4xf32>, tensor<2x4x7xf32>) outs(%5 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %expanded_4 = tensor.expand_shape %6 [[0, 1], [2], [3, 4]] output_shape [1, 2, 5, 1, 7] : tensor<2x5x7xf32> into tensor<1x2x5x1x7xf32>
    %7 = tensor.empty() : tensor<1x2x5x1x7xf32>
    %8 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_4 : tensor<1x2x5x1x7xf32>) outs(%7 : tensor<1x2x5x1x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = arith.mulf %in, %cst_1 : f32
      linalg.yield %38 : f32
    } -> tensor<1x2x5x1x7xf32>
    %9 = tensor.empty() : tensor<1x1x2x5x7xi1>
    %10 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg3 : tensor<1x1x5x7xi1>) outs(%9 : tensor<1x1x2x5x7xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<1x1x2x5x7xi1>
    %collapsed_5 = tensor.collapse_shape %8 [[0, 1, 2, 3, 4]] : tensor<1x2x5x1x7xf32> into tensor<70xf32>
    %expanded_6 = tensor.expand_shape %collapsed_5 [[0, 1, 2, 3, 4]] output_shape [1, 1, 2, 5, 7] : tensor<70xf32> into tensor<1x1x2x5x7xf32>
    %11 = tensor.empty() : tensor<1x1x2x5x7xf32>
    %12 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%10, %expanded_6 : tensor<1x1x2x5x7xi1>, tensor<1x1x2x5x7xf32>) outs(%11 : tensor<1x1x2x5x7xf32>) {
    ^bb0(%in: i1, %in_11: f32, %out: f32):
      %38 = arith.select %in, %in_11, %cst_0 : f32
      linalg.yield %38 : f32
    } -> tensor<1x1x2x5x7xf32>
    %13 = tensor.empty() : tensor<1x1x2x5xf32>
    %14 = linalg.fill ins(%cst : f32) outs(%13 : tensor<1x1x2x5xf32>) -> tensor<1x1x2x5xf32>
    %15 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%12 : tensor<1x1x2x5x7xf32>) outs(%14 : tensor<1x1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = arith.maximumf %out, %in : f32
      linalg.yield %38 : f32
    } -> tensor<1x1x2x5xf32>
    %16 = tensor.empty() : tensor<1x1x2x5x7xf32>
    %17 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%15 : tensor<1x1x2x5xf32>) outs(%16 : tensor<1x1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x1x2x5x7xf32>
    %18 = tensor.empty() : tensor<1x1x2x5x7xf32>
    %19 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%12, %17 : tensor<1x1x2x5x7xf32>, tensor<1x1x2x5x7xf32>) outs(%18 : tensor<1x1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_11: f32, %out: f32):
      %38 = arith.subf %in, %in_11 : f32
      linalg.yield %38 : f32
    } -> tensor<1x1x2x5x7xf32>
    %20 = tensor.empty() : tensor<1x1x2x5x7xf32>
    %21 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%19 : tensor<1x1x2x5x7xf32>) outs(%20 : tensor<1x1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = math.exp %in : f32
      linalg.yield %38 : f32
    } -> tensor<1x1x2x5x7xf32>
    %22 = tensor.empty() : tensor<1x1x2x5xf32>
    %23 = linalg.fill ins(%cst_2 : f32) outs(%22 : tensor<1x1x2x5xf32>) -> tensor<1x1x2x5xf32>
    %24 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%21 : tensor<1x1x2x5x7xf32>) outs(%23 : tensor<1x1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %38 = arith.addf %out, %in : f32
      linalg.yield %38 : f32
    } -> tensor<1x1x2x5xf32>
    %25 = tensor.empty() : tensor<1x1x2x5x7xf32>
    %26 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%24 : tensor<1x1x2x5xf32>) outs(%25 : tensor<1x1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x1x2x5x7xf32>
    %27 = tensor.empty() : tensor<1x1x2x5x7xf32>
    %28 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%21, %26 : tensor<1x1x2x5x7xf32>, tensor<1x1x2x5x7xf32>) outs(%27 : tensor<1x1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_11: f32, %out: f32):
      %38 = arith.divf %in, %in_11 : f32
      linalg.yield %38 : f32
    } -> tensor<1x1x2x5x7xf32>
    %29 = tensor.empty() : tensor<1x2x4x7xf32>
    %30 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg2 : tensor<1x7x2x4xf32>) outs(%29 : tensor<1x2x4x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x4x7xf32>
    %31 = tensor.empty() : tensor<1x2x7x1x5xf32>
    %32 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d3, d0, d1, d4, d2)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%28 : tensor<1x1x2x5x7xf32>) outs(%31 : tensor<1x2x7x1x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x7x1x5xf32>
    %collapsed_7 = tensor.collapse_shape %30 [[0, 1], [2], [3]] : tensor<1x2x4x7xf32> into tensor<2x4x7xf32>
    %collapsed_8 = tensor.collapse_shape %32 [[0, 1], [2], [3, 4]] : tensor<1x2x7x1x5xf32> into tensor<2x7x5xf32>
    %33 = tensor.empty() : tensor<2x4x5xf32>
    %34 = linalg.fill ins(%cst_2 : f32) outs(%33 : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
    %35 = linalg.batch_matmul ins(%collapsed_7, %collapsed_8 : tensor<2x4x7xf32>, tensor<2x7x5xf32>) outs(%34 : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
    %expanded_9 = tensor.expand_shape %35 [[0, 1], [2], [3, 4]] output_shape [1, 2, 4, 1, 5] : tensor<2x4x5xf32> into tensor<1x2x4x1x5xf32>
    %36 = tensor.empty() : tensor<1x1x5x2x4xf32>
    %37 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d1, d3, d4, d0, d2)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_9 : tensor<1x2x4x1x5xf32>) outs(%36 : tensor<1x1x5x2x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x1x5x2x4xf32>
    %collapsed_10 = tensor.collapse_shape %37 [[0], [1, 2], [3], [4]] : tensor<1x1x5x2x4xf32> into tensor<1x5x2x4xf32>
    return %collapsed_10 : tensor<1x5x2x4xf32>
  }
}
