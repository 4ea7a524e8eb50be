// Next-scale attention: a boolean constant, and scores scaled by queries.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask block_causal<scales = [1, 4, 9]>
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1) -> (d0, d1)>
#map2 = affine_map<(d0, d1, d2) -> (d1, d2)>
#map3 = affine_map<(d0, d1, d2) -> ()>
#map4 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x14x4xf32>, %arg1: tensor<2x14x4xf32>, %arg2: tensor<2x14x4xf32>) -> tensor<2x14x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i8 = arith.constant 0 : i8
    %true = arith.constant true
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant 5.000000e-01 : f32
    %cst_3 = arith.constant dense_resource<torch_tensor_14_14_torch.uint8> : tensor<14x14xi8>
    %0 = tensor.empty() : tensor<2x14x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0 : tensor<2x14x4xf32>) outs(%0 : tensor<2x14x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %23 = arith.mulf %in, %cst_2 : f32
      linalg.yield %23 : f32
    } -> tensor<2x14x4xf32>
    %2 = tensor.empty() : tensor<2x4x14xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x14x4xf32>) outs(%2 : tensor<2x4x14xf32>) permutation = [0, 2, 1]
    %3 = tensor.empty() : tensor<2x14x14xf32>
    %4 = linalg.fill ins(%cst : f32) outs(%3 : tensor<2x14x14xf32>) -> tensor<2x14x14xf32>
    %5 = linalg.batch_matmul ins(%1, %transposed : tensor<2x14x4xf32>, tensor<2x4x14xf32>) outs(%4 : tensor<2x14x14xf32>) -> tensor<2x14x14xf32>
    %6 = tensor.empty() : tensor<14x14xi1>
    %7 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%cst_3 : tensor<14x14xi8>) outs(%6 : tensor<14x14xi1>) {
    ^bb0(%in: i8, %out: i1):
      %23 = arith.cmpi ne, %in, %c0_i8 : i8
      linalg.yield %23 : i1
    } -> tensor<14x14xi1>
    %8 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%7 : tensor<14x14xi1>) outs(%6 : tensor<14x14xi1>) {
    ^bb0(%in: i1, %out: i1):
      %23 = arith.xori %in, %true : i1
      linalg.yield %23 : i1
    } -> tensor<14x14xi1>
    %9 = linalg.generic {indexing_maps = [#map2, #map3, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %cst_1, %5 : tensor<14x14xi1>, tensor<f32>, tensor<2x14x14xf32>) outs(%3 : tensor<2x14x14xf32>) {
    ^bb0(%in: i1, %in_4: f32, %in_5: f32, %out: f32):
      %23 = arith.select %in, %in_4, %in_5 : f32
      linalg.yield %23 : f32
    } -> tensor<2x14x14xf32>
    %10 = tensor.empty() : tensor<2x14xi64>
    %11 = linalg.fill ins(%c0_i64 : i64) outs(%10 : tensor<2x14xi64>) -> tensor<2x14xi64>
    %12 = tensor.empty() : tensor<2x14xf32>
    %13 = linalg.fill ins(%cst_0 : f32) outs(%12 : tensor<2x14xf32>) -> tensor<2x14xf32>
    %14:2 = linalg.generic {indexing_maps = [#map, #map4, #map4], iterator_types = ["parallel", "parallel", "reduction"]} ins(%9 : tensor<2x14x14xf32>) outs(%13, %11 : tensor<2x14xf32>, tensor<2x14xi64>) {
    ^bb0(%in: f32, %out: f32, %out_4: i64):
      %23 = linalg.index 2 : index
      %24 = arith.index_cast %23 : index to i64
      %25 = arith.maximumf %in, %out : f32
      %26 = arith.cmpf ogt, %in, %out : f32
      %27 = arith.select %26, %24, %out_4 : i64
      linalg.yield %25, %27 : f32, i64
    } -> (tensor<2x14xf32>, tensor<2x14xi64>)
    %expanded = tensor.expand_shape %14#0 [[0], [1, 2]] output_shape [2, 14, 1] : tensor<2x14xf32> into tensor<2x14x1xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map5, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%9, %expanded : tensor<2x14x14xf32>, tensor<2x14x1xf32>) outs(%3 : tensor<2x14x14xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %23 = arith.subf %in, %in_4 : f32
      linalg.yield %23 : f32
    } -> tensor<2x14x14xf32>
    %16 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%15 : tensor<2x14x14xf32>) outs(%3 : tensor<2x14x14xf32>) {
    ^bb0(%in: f32, %out: f32):
      %23 = math.exp %in : f32
      linalg.yield %23 : f32
    } -> tensor<2x14x14xf32>
    %17 = tensor.empty() : tensor<2x14x1xf32>
    %18 = linalg.fill ins(%cst : f32) outs(%17 : tensor<2x14x1xf32>) -> tensor<2x14x1xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%16 : tensor<2x14x14xf32>) outs(%18 : tensor<2x14x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %23 = arith.addf %in, %out : f32
      linalg.yield %23 : f32
    } -> tensor<2x14x1xf32>
    %20 = linalg.generic {indexing_maps = [#map, #map5, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%16, %19 : tensor<2x14x14xf32>, tensor<2x14x1xf32>) outs(%3 : tensor<2x14x14xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %23 = arith.divf %in, %in_4 : f32
      linalg.yield %23 : f32
    } -> tensor<2x14x14xf32>
    %21 = linalg.fill ins(%cst : f32) outs(%0 : tensor<2x14x4xf32>) -> tensor<2x14x4xf32>
    %22 = linalg.batch_matmul ins(%20, %arg2 : tensor<2x14x14xf32>, tensor<2x14x4xf32>) outs(%21 : tensor<2x14x4xf32>) -> tensor<2x14x4xf32>
    return %22 : tensor<2x14x4xf32>
  }
}

{-#
  dialect_resources: {
    builtin: {
      torch_tensor_14_14_torch.uint8: "0x0100000001000000000000000000000000000101010101000000000000000000010101010100000000000000000001010101010000000000000000000101010101000000000000000000010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101"
    }
  }
#-}
