// Several blocks, dimensions without elements, and reading past the end.
//
// RUN: polyattn-opt %s --attn-raise --remarks-filter=polyattn 2>&1 | FileCheck %s

// CHECK-DAG: NotRaised{{.*}}Function=other_block{{.*}}scores or weights are also used by func.return
// CHECK-DAG: Raised{{.*}}Function=size_zero{{.*}}0 queries, 5 keys
// CHECK-DAG: NotRaised{{.*}}Function=beyond{{.*}}the layout of queries, keys or values is no reshape and transpose of a tensor
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

// Eight keys and five values: with an unknown number of queries nobody checks that.
//
// CHECK-LABEL: func.func @beyond
// CHECK-NOT: attn.attention
func.func @beyond(%q: tensor<?x4xf32>, %k: tensor<8x4xf32>, %v: tensor<5x3xf32>) -> tensor<?x3xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %q, %c0 : tensor<?x4xf32>
  %least = arith.constant 0xFF800000 : f32
  %half = arith.constant 0.5 : f32
  %s_empty = tensor.empty(%n) : tensor<?x8xf32>
  %s_zero = linalg.fill ins(%zero : f32) outs(%s_empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  %products = linalg.generic {indexing_maps = [affine_map<(i, j, c) -> (i, c)>, affine_map<(i, j, c) -> (j, c)>, affine_map<(i, j, c) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<?x4xf32>, tensor<8x4xf32>) outs(%s_zero : tensor<?x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<?x8xf32>
  %scaled_init = tensor.empty(%n) : tensor<?x8xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%products : tensor<?x8xf32>) outs(%scaled_init : tensor<?x8xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.mulf %a0, %half : f32
    linalg.yield %x : f32
  } -> tensor<?x8xf32>
  %r_empty = tensor.empty(%n) : tensor<?xf32>
  %r_least = linalg.fill ins(%least : f32) outs(%r_empty : tensor<?xf32>) -> tensor<?xf32>
  %maxima = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%scaled : tensor<?x8xf32>) outs(%r_least : tensor<?xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.maximumf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<?xf32>
  %weights_init = tensor.empty(%n) : tensor<?x8xf32>
  %weights = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%scaled, %maxima : tensor<?x8xf32>, tensor<?xf32>) outs(%weights_init : tensor<?x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.subf %a0, %a1 : f32
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<?x8xf32>
  %r_zero = linalg.fill ins(%zero : f32) outs(%r_empty : tensor<?xf32>) -> tensor<?xf32>
  %sums = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%weights : tensor<?x8xf32>) outs(%r_zero : tensor<?xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.addf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<?xf32>
  %shares_init = tensor.empty(%n) : tensor<?x8xf32>
  %shares = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%weights, %sums : tensor<?x8xf32>, tensor<?xf32>) outs(%shares_init : tensor<?x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.divf %a0, %a1 : f32
    linalg.yield %x : f32
  } -> tensor<?x8xf32>
  %o_empty = tensor.empty(%n) : tensor<?x3xf32>
  %o_zero = linalg.fill ins(%zero : f32) outs(%o_empty : tensor<?x3xf32>) -> tensor<?x3xf32>
  %values = linalg.generic {indexing_maps = [affine_map<(i, j, c) -> (i, c)>, affine_map<(i, j, c) -> (c, j)>, affine_map<(i, j, c) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%shares, %v : tensor<?x8xf32>, tensor<5x3xf32>) outs(%o_zero : tensor<?x3xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<?x3xf32>
  return %values : tensor<?x3xf32>
}
