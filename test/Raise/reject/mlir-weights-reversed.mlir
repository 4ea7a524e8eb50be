// Rows of weights reversed: queries would have to be, which no slice does.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: the layout of queries, keys or values is no reshape and transpose of a tensor
// CHECK-NOT: = attn.

#ij = affine_map<(d0, d1) -> (d0, d1)>
#i = affine_map<(d0, d1) -> (d0)>
#j = affine_map<(d0, d1) -> (d1)>
#id = affine_map<(d0, d1, d2) -> (d0, d2)>
#jd = affine_map<(d0, d1, d2) -> (d1, d2)>
#ijd = affine_map<(d0, d1, d2) -> (d0, d1)>
#dj = affine_map<(d0, d1, d2) -> (d2, d1)>
!q = tensor<6x4xf32>
!k = tensor<6x4xf32>
!s = tensor<6x6xf32>
!r = tensor<6xf32>
func.func @main(%q: !q, %k: !k, %v: !k) -> !q {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %scale = arith.constant 0.5 : f32
  %e0 = tensor.empty() : !s
  %c0 = linalg.fill ins(%zero : f32) outs(%e0 : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#id, #jd, #ijd], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%q, %k : !q, !k) outs(%c0 : !s) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.mulf %a, %b : f32
    %r = arith.addf %o, %t : f32
    linalg.yield %r : f32
  } -> !s
  %s = linalg.generic {indexing_maps = [#ij, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%dot : !s) outs(%e0 : !s) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.mulf %x, %scale : f32
    %z = arith.addf %y, %zero : f32
    linalg.yield %z : f32
  } -> !s
  %e1 = tensor.empty() : !r
  %c1 = linalg.fill ins(%low : f32) outs(%e1 : !r) -> !r
  %top = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
      ins(%s : !s) outs(%c1 : !r) {
  ^bb0(%x: f32, %o: f32):
    %r = arith.maximumf %x, %o : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#ij, #i, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%s, %top : !s, !r) outs(%e0 : !s) {
  ^bb0(%x: f32, %t: f32, %o: f32):
    %d = arith.subf %x, %t : f32
    %w = math.exp %d : f32
    linalg.yield %w : f32
  } -> !s
  %c2 = linalg.fill ins(%zero : f32) outs(%e1 : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
      ins(%e : !s) outs(%c2 : !r) {
  ^bb0(%x: f32, %o: f32):
    %r = arith.addf %x, %o : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#ij, #i, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%e0 : !s) {
  ^bb0(%x: f32, %t: f32, %o: f32):
    %r = arith.divf %x, %t : f32
    linalg.yield %r : f32
  } -> !s
  %e3 = tensor.empty() : !q
  %c3 = linalg.fill ins(%zero : f32) outs(%e3 : !q) -> !q
  %out = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (-d0 + 5, d2)>, #dj, #ijd], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p, %v : !s, !k) outs(%c3 : !q) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.mulf %a, %b : f32
    %r = arith.addf %o, %t : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}
