// Several blocks, and dimensions without elements.
//
// RUN: polyattn-opt %s --attn-raise --remarks-filter=polyattn 2>&1 | FileCheck %s

// CHECK-DAG: NotRaised{{.*}}Function=other_block{{.*}}scores or weights are also used by func.return
// CHECK-DAG: Raised{{.*}}Function=size_zero{{.*}}0 queries, 5 keys
// CHECK-LABEL: func.func @other_block
// CHECK-NOT: attn.attention
func.func @other_block(%q: tensor<2x3x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<2x5x8xf32>) -> (tensor<2x3x8xf32>, tensor<2x3x5xf32>) {
  %z = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x3x5xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  %kt_e = tensor.empty() : tensor<2x8x5xf32>
  %kt = linalg.transpose ins(%k : tensor<2x5x8xf32>) outs(%kt_e : tensor<2x8x5xf32>) permutation = [0, 2, 1]
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x3x8xf32>, tensor<2x8x5xf32>) outs(%f : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  %sm = linalg.generic {indexing_maps = [affine_map<(a,b,c)->(a,b,c)>, affine_map<(a,b,c)->(a,b,c)>], iterator_types = ["parallel","parallel","parallel"]} ins(%s : tensor<2x3x5xf32>) outs(%e : tensor<2x3x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %x = math.exp %a : f32
    linalg.yield %x : f32
  } -> tensor<2x3x5xf32>
  %re = tensor.empty() : tensor<2x3xf32>
  %rf = linalg.fill ins(%z : f32) outs(%re : tensor<2x3xf32>) -> tensor<2x3xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(a,b,c)->(a,b,c)>, affine_map<(a,b,c)->(a,b)>], iterator_types = ["parallel","parallel","reduction"]} ins(%sm : tensor<2x3x5xf32>) outs(%rf : tensor<2x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %x = arith.addf %a, %o : f32
    linalg.yield %x : f32
  } -> tensor<2x3xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(a,b,c)->(a,b,c)>, affine_map<(a,b,c)->(a,b)>, affine_map<(a,b,c)->(a,b,c)>], iterator_types = ["parallel","parallel","parallel"]} ins(%sm, %r : tensor<2x3x5xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3x5xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %x = arith.divf %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<2x3x5xf32>
  %oe = tensor.empty() : tensor<2x3x8xf32>
  %of = linalg.fill ins(%z : f32) outs(%oe : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  %out = linalg.batch_matmul ins(%p, %v : tensor<2x3x5xf32>, tensor<2x5x8xf32>) outs(%of : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  cf.br ^bb1
^bb1:
  return %out, %sm : tensor<2x3x8xf32>, tensor<2x3x5xf32>
}

// CHECK-LABEL: func.func @size_zero
// CHECK: attn.attention
func.func @size_zero(%q4: tensor<2x1x0x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<2x5x8xf32>) -> tensor<2x0x8xf32> {
  %qc = tensor.collapse_shape %q4 [[0], [1, 2, 3]] : tensor<2x1x0x8xf32> into tensor<2x0xf32>
  %q = tensor.expand_shape %qc [[0], [1, 2]] output_shape [2, 0, 8] : tensor<2x0xf32> into tensor<2x0x8xf32>
  %z = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x0x5xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<2x0x5xf32>) -> tensor<2x0x5xf32>
  %kt_e = tensor.empty() : tensor<2x8x5xf32>
  %kt = linalg.transpose ins(%k : tensor<2x5x8xf32>) outs(%kt_e : tensor<2x8x5xf32>) permutation = [0, 2, 1]
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x0x8xf32>, tensor<2x8x5xf32>) outs(%f : tensor<2x0x5xf32>) -> tensor<2x0x5xf32>
  %sm = linalg.generic {indexing_maps = [affine_map<(a,b,c)->(a,b,c)>, affine_map<(a,b,c)->(a,b,c)>], iterator_types = ["parallel","parallel","parallel"]} ins(%s : tensor<2x0x5xf32>) outs(%e : tensor<2x0x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %x = math.exp %a : f32
    linalg.yield %x : f32
  } -> tensor<2x0x5xf32>
  %re = tensor.empty() : tensor<2x0xf32>
  %rf = linalg.fill ins(%z : f32) outs(%re : tensor<2x0xf32>) -> tensor<2x0xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(a,b,c)->(a,b,c)>, affine_map<(a,b,c)->(a,b)>], iterator_types = ["parallel","parallel","reduction"]} ins(%sm : tensor<2x0x5xf32>) outs(%rf : tensor<2x0xf32>) {
  ^bb0(%a: f32, %o: f32):
    %x = arith.addf %a, %o : f32
    linalg.yield %x : f32
  } -> tensor<2x0xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(a,b,c)->(a,b,c)>, affine_map<(a,b,c)->(a,b)>, affine_map<(a,b,c)->(a,b,c)>], iterator_types = ["parallel","parallel","parallel"]} ins(%sm, %r : tensor<2x0x5xf32>, tensor<2x0xf32>) outs(%e : tensor<2x0x5xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %x = arith.divf %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<2x0x5xf32>
  %oe = tensor.empty() : tensor<2x0x8xf32>
  %of = linalg.fill ins(%z : f32) outs(%oe : tensor<2x0x8xf32>) -> tensor<2x0x8xf32>
  %out = linalg.batch_matmul ins(%p, %v : tensor<2x0x5xf32>, tensor<2x5x8xf32>) outs(%of : tensor<2x0x8xf32>) -> tensor<2x0x8xf32>
  return %out : tensor<2x0x8xf32>
}
