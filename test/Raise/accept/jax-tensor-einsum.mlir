// einsum, softmax over two dimensions, einsum.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d2)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d2)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d2, d4)>
#map4 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d5, d3)>
#map5 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5)>
#map6 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>
#map7 = affine_map<(d0, d1, d2, d3, d4) -> ()>
#map8 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2)>
#map9 = affine_map<(d0, d1, d2) -> ()>
#map10 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map11 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, 0, 0)>
#map12 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4, d5)>
#map13 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d3, d4)>
#map14 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x2x7x4xf32>, %arg3: tensor<1x2x6x3xf32>, %arg4: tensor<1x2x7x3xf32>) -> (tensor<1x2x5x3xf32>) {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 0.000000e+00 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<5.000000e-01> : tensor<f32>
    %0 = tensor.empty() : tensor<1x2x4x6x5xf32>
    %1 = linalg.fill ins(%cst_0 : f32) outs(%0 : tensor<1x2x4x6x5xf32>) -> tensor<1x2x4x6x5xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg1, %arg0 : tensor<1x2x6x4xf32>, tensor<1x2x5x4xf32>) outs(%1 : tensor<1x2x4x6x5xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %32 = arith.mulf %in, %in_4 : f32
      %33 = arith.addf %out, %32 : f32
      linalg.yield %33 : f32
    } -> tensor<1x2x4x6x5xf32>
    %3 = tensor.empty() : tensor<1x2x6x4x5xf32>
    %4 = linalg.generic {indexing_maps = [#map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%2 : tensor<1x2x4x6x5xf32>) outs(%3 : tensor<1x2x6x4x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x4x5xf32>
    %5 = tensor.empty() : tensor<1x2x6x5x7xf32>
    %6 = linalg.fill ins(%cst_0 : f32) outs(%5 : tensor<1x2x6x5x7xf32>) -> tensor<1x2x6x5x7xf32>
    %7 = linalg.generic {indexing_maps = [#map4, #map5, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%4, %arg2 : tensor<1x2x6x4x5xf32>, tensor<1x2x7x4xf32>) outs(%6 : tensor<1x2x6x5x7xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %32 = arith.mulf %in, %in_4 : f32
      %33 = arith.addf %out, %32 : f32
      linalg.yield %33 : f32
    } -> tensor<1x2x6x5x7xf32>
    %8 = tensor.empty() : tensor<1x2x5x6x7xf32>
    %9 = linalg.generic {indexing_maps = [#map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%7 : tensor<1x2x6x5x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %10 = linalg.generic {indexing_maps = [#map7, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%cst_2 : tensor<f32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %11 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%9, %10 : tensor<1x2x5x6x7xf32>, tensor<1x2x5x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %32 = arith.mulf %in, %in_4 : f32
      linalg.yield %32 : f32
    } -> tensor<1x2x5x6x7xf32>
    %12 = tensor.empty() : tensor<1x2x5xf32>
    %13 = linalg.fill ins(%cst : f32) outs(%12 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %14 = linalg.generic {indexing_maps = [#map2, #map8], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%11 : tensor<1x2x5x6x7xf32>) outs(%13 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %32 = arith.maximumf %out, %in : f32
      linalg.yield %32 : f32
    } -> tensor<1x2x5xf32>
    %15 = linalg.generic {indexing_maps = [#map9, #map10], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_1 : tensor<f32>) outs(%12 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5xf32>
    %16 = linalg.generic {indexing_maps = [#map10, #map10, #map10], iterator_types = ["parallel", "parallel", "parallel"]} ins(%15, %14 : tensor<1x2x5xf32>, tensor<1x2x5xf32>) outs(%12 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %32 = arith.maximumf %in, %in_4 : f32
      linalg.yield %32 : f32
    } -> tensor<1x2x5xf32>
    %expanded = tensor.expand_shape %16 [[0], [1], [2, 3, 4]] output_shape [1, 2, 5, 1, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1x1xf32>
    %17 = linalg.generic {indexing_maps = [#map11, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x2x5x1x1xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %18 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%11, %17 : tensor<1x2x5x6x7xf32>, tensor<1x2x5x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %32 = arith.subf %in, %in_4 : f32
      linalg.yield %32 : f32
    } -> tensor<1x2x5x6x7xf32>
    %19 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%18 : tensor<1x2x5x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %32 = math.exp %in : f32
      linalg.yield %32 : f32
    } -> tensor<1x2x5x6x7xf32>
    %20 = linalg.fill ins(%cst_0 : f32) outs(%12 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %21 = linalg.generic {indexing_maps = [#map2, #map8], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%19 : tensor<1x2x5x6x7xf32>) outs(%20 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %32 = arith.addf %out, %in : f32
      linalg.yield %32 : f32
    } -> tensor<1x2x5xf32>
    %expanded_3 = tensor.expand_shape %21 [[0], [1], [2, 3, 4]] output_shape [1, 2, 5, 1, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1x1xf32>
    %22 = linalg.generic {indexing_maps = [#map11, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_3 : tensor<1x2x5x1x1xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %23 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%19, %22 : tensor<1x2x5x6x7xf32>, tensor<1x2x5x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %32 = arith.divf %in, %in_4 : f32
      linalg.yield %32 : f32
    } -> tensor<1x2x5x6x7xf32>
    %24 = tensor.empty() : tensor<1x2x3x7x6xf32>
    %25 = linalg.fill ins(%cst_0 : f32) outs(%24 : tensor<1x2x3x7x6xf32>) -> tensor<1x2x3x7x6xf32>
    %26 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg4, %arg3 : tensor<1x2x7x3xf32>, tensor<1x2x6x3xf32>) outs(%25 : tensor<1x2x3x7x6xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %32 = arith.mulf %in, %in_4 : f32
      %33 = arith.addf %out, %32 : f32
      linalg.yield %33 : f32
    } -> tensor<1x2x3x7x6xf32>
    %27 = tensor.empty() : tensor<1x2x7x3x6xf32>
    %28 = linalg.generic {indexing_maps = [#map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%26 : tensor<1x2x3x7x6xf32>) outs(%27 : tensor<1x2x7x3x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x7x3x6xf32>
    %29 = tensor.empty() : tensor<1x2x5x3xf32>
    %30 = linalg.fill ins(%cst_0 : f32) outs(%29 : tensor<1x2x5x3xf32>) -> tensor<1x2x5x3xf32>
    %31 = linalg.generic {indexing_maps = [#map12, #map13, #map14], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%23, %28 : tensor<1x2x5x6x7xf32>, tensor<1x2x7x3x6xf32>) outs(%30 : tensor<1x2x5x3xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %32 = arith.mulf %in, %in_4 : f32
      %33 = arith.addf %out, %32 : f32
      linalg.yield %33 : f32
    } -> tensor<1x2x5x3xf32>
    return %31 : tensor<1x2x5x3xf32>
  }
}

