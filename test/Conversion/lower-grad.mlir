// RUN: polyattn-opt %s --attn-lower-to-vector=target=avx512 --remarks-filter-missed=polyattn 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t
// RUN: polyattn-opt %s --attn-lower-to-reference | FileCheck %s --check-prefix=REFERENCE

// REFERENCE-NOT: attn.

!q = tensor<4x256x64xf32>
!k = tensor<2x256x64xf32>
!z = tensor<4x256xf32>

// The attention stores what its rows are divided by, and no scores are
// computed twice for it.
// CHECK-LABEL: @forward
// CHECK-NOT: attn.
// CHECK-COUNT-1: scf.parallel
// CHECK: math.log
// CHECK-NOT: scf.parallel
// CHECK: return
func.func @forward(%q: !q, %k: !k, %v: !k) -> (!q, !z) {
  %o = attn.attention %q, %k, %v scale 0.125 mask causal : !q, !k, !k -> !q
  %z = attn.normalizer %q, %k scale 0.125 mask causal : !q, !k -> !z
  return %o, %z : !q, !z
}

// Another scale is another attention.
// CHECK-LABEL: @apart
// CHECK-COUNT-2: scf.parallel
// CHECK: return
func.func @apart(%q: !q, %k: !k, %v: !k) -> (!q, !z) {
  %o = attn.attention %q, %k, %v scale 0.125 mask causal : !q, !k, !k -> !q
  %z = attn.normalizer %q, %k scale 0.25 mask causal : !q, !k -> !z
  return %o, %z : !q, !z
}

// Five products, of which scores are computed again, and a sum over shares.
// Each is a block of 24 accumulators.
// CHECK-LABEL: @backward
// CHECK-NOT: attn.
// CHECK: scf.parallel
// CHECK-COUNT-5: %{{.*}}:24 = scf.for
// CHECK: scf.parallel
// CHECK: return
func.func @backward(%q: !q, %k: !k, %v: !k, %o: !q, %z: !z, %do: !q) -> (!q, !k, !k) {
  %dq, %dk, %dv = attn.attention_grad %q, %k, %v output(%o) normalizer(%z : !z) grad_output(%do) scale 0.125
    mask causal : !q, !k, !k, !q
  return %dq, %dk, %dv : !q, !k, !k
}

// Values alone need two.
// CHECK-LABEL: @values
// CHECK-COUNT-2: %{{.*}}:24 = scf.for
// CHECK-NOT: %{{.*}}:24 = scf.for
// CHECK: return
func.func @values(%q: !q, %k: !k, %v: !k, %o: !q, %z: !z, %do: !q) -> !k {
  %dq, %dk, %dv = attn.attention_grad %q, %k, %v output(%o) normalizer(%z : !z) grad_output(%do) scale 0.125
    : !q, !k, !k, !q
  return %dv : !k
}

// CHECK-LABEL: @ofBias
// CHECK: attn.attention_grad
// REMARK: lower-grad.mlir:[[@LINE+5]]:{{.*}}no vector code: the gradient of its bias is used; the reference lowering takes it, which is slow
// REFERENCE-LABEL: @ofBias
// REFERENCE: tensor.extract
func.func @ofBias(%q: !q, %k: !k, %v: !k, %b: tensor<1x256x256xf32>, %o: !q, %z: !z, %do: !q)
    -> tensor<1x256x256xf32> {
  %dq, %dk, %dv, %db = attn.attention_grad %q, %k, %v bias(%b : tensor<1x256x256xf32>) output(%o) normalizer(%z : !z)
    grad_output(%do) scale 0.125 : !q, !k, !k, !q
  return %db : tensor<1x256x256xf32>
}
