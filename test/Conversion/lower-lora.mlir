// RUN: polyattn-opt %s -split-input-file -attn-lower-to-reference | FileCheck %s
// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-lower-to-reference,attn-fuse-elementwise,attn-lower-contractions{target=avx512})' -remarks-filter=polyattn 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// The product with W starts from zeros, that with B from its result. The scale
// is applied to x A. Nothing as large as the weight is formed.
// REMARK: remark: {{.*}}register blocks: panels made first, the op that follows is part of it
// REMARK: remark: {{.*}}register blocks: panels made first, a second product is added to it, the op that follows is part of it
// REMARK-NOT: remark:
// CHECK-LABEL: @layer
// CHECK-SAME: %[[X:.*]]: tensor<100x24xf32>, %[[W:.*]]: tensor<24x40xf32>, %[[A:.*]]: tensor<24x8xf32>, %[[B:.*]]: tensor<8x40xf32>, %[[BIAS:.*]]: tensor<40xf32>
// CHECK-NOT: tensor<24x40xf32> into
// CHECK: %[[XA:.*]] = linalg.generic {{.*}}"reduction"]} ins(%[[X]], %[[A]] : {{.*}}) outs(%{{.*}} : tensor<100x8xf32>)
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%[[XA]] : tensor<100x8xf32>)
// CHECK: arith.constant 2.0
// CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<100x40xf32>
// CHECK: %[[XW:.*]] = linalg.generic {{.*}}"reduction"]} ins(%[[X]], %[[W]] : {{.*}}) outs(%[[ZEROS]] : tensor<100x40xf32>)
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}}"reduction"]} ins(%[[T]], %[[B]] : {{.*}}) outs(%[[XW]] : tensor<100x40xf32>)
// CHECK: linalg.generic {{.*}}"parallel"]} ins(%[[SUM]], %[[BIAS]] : {{.*}})
func.func @layer(%x: tensor<100x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>, %bias: tensor<40xf32>) -> tensor<100x40xf32> {
  %0 = attn.lora_linear %x, %w, %a, %b bias(%bias : tensor<40xf32>) scale 2.0
    : tensor<100x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return %0 : tensor<100x40xf32>
}

// -----

// An adapter that adds nothing is not computed.
// REMARK: remark: {{.*}}register blocks: panels made first"
// REMARK-NOT: remark:
// CHECK-LABEL: @nothing
// CHECK-COUNT-1: "reduction"
// CHECK-NOT: "reduction"
// CHECK: return
func.func @nothing(%x: tensor<100x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) -> tensor<100x40xf32> {
  %0 = attn.lora_linear %x, %w, %a, %b scale 0.0 : tensor<100x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return %0 : tensor<100x40xf32>
}

// -----

// Rows choose: of a sum over adapters the term counts whose number the row has.
// Sums stay in f32 beside bf16. An adapter that does not exist stops the program.
// REMARK: remark: {{.*}}register blocks: panels made first, the op that follows is part of it
// REMARK: remark: {{.*}}register blocks: panels made first, a second product is added to it, the op that follows is part of it
// REMARK-NOT: remark:
// CHECK-LABEL: @rows_choose
// CHECK-DAG: cf.assert {{.*}}, "attn: dimension 0 of adapters must equal dimension 0 of x"
// CHECK: arith.maxsi
// CHECK: cf.assert {{.*}}, "attn: an entry of adapters is not below their number, dimension 0 of a"
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction", "reduction"]} ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x24xbf16>, tensor<3x8x24xf32>, tensor<?xi32>) outs(%{{.*}} : tensor<?x8xf32>)
// CHECK: linalg.index 3
// CHECK: arith.cmpi eq
// CHECK: arith.extf
// CHECK: arith.select
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<3x40x8xf32>, tensor<?xi32>) outs(%{{.*}} : tensor<?x40xf32>)
// CHECK: arith.truncf
func.func @rows_choose(%x: tensor<?x24xbf16>, %w: tensor<40x24xbf16>, %a: tensor<3x8x24xf32>, %b: tensor<3x40x8xf32>, %i: tensor<?xi32>) -> tensor<?x40xbf16> {
  %0 = attn.lora_linear %x, %w, %a, %b adapters(%i : tensor<?xi32>) scale 2.0 transposed
    : tensor<?x24xbf16>, tensor<40x24xbf16>, tensor<3x8x24xf32>, tensor<3x40x8xf32>
  return %0 : tensor<?x40xbf16>
}

// -----

// Gradients: what is asked for, and no more. dA needs neither W nor x A.
// CHECK-LABEL: @grad_a
// CHECK-SAME: %[[DY:.*]]: tensor<100x40xf32>, %[[X:.*]]: tensor<100x24xf32>, %[[W:.*]]: tensor<24x40xf32>
// CHECK-NOT: ins({{.*}}%[[W]]
// CHECK: linalg.generic {{.*}} ins(%[[DY]], %{{.*}} : tensor<100x40xf32>, tensor<8x40xf32>) outs(%{{.*}} : tensor<100x8xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[X]], %{{.*}} : tensor<100x24xf32>, tensor<100x8xf32>) outs(%{{.*}} : tensor<24x8xf32>)
// CHECK-NOT: "reduction"
// REMARK: remark: {{.*}}register blocks
// REMARK: remark: {{.*}}register blocks
// REMARK-NOT: remark:
func.func @grad_a(%dy: tensor<100x40xf32>, %x: tensor<100x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) -> tensor<24x8xf32> {
  %0 = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 1.0
    : tensor<100x40xf32>, tensor<100x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32> -> a(tensor<24x8xf32>)
  return %0 : tensor<24x8xf32>
}

// -----

// Sums over the rows of each adapter.
// CHECK-LABEL: @grad_adapters
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<3x24x8xf32>)
// CHECK: linalg.index 3
// REMARK-COUNT-4: remark: {{.*}}register blocks
// REMARK-NOT: remark:
func.func @grad_adapters(%dy: tensor<100x40xf32>, %x: tensor<100x24xf32>, %w: tensor<24x40xf32>, %a: tensor<3x24x8xf32>, %b: tensor<3x8x40xf32>, %i: tensor<100xi32>)
    -> (tensor<3x24x8xf32>, tensor<3x8x40xf32>) {
  %0, %1 = attn.lora_linear_grad %dy, %x, %w, %a, %b adapters(%i : tensor<100xi32>) scale 1.0
    : tensor<100x40xf32>, tensor<100x24xf32>, tensor<24x40xf32>, tensor<3x24x8xf32>, tensor<3x8x40xf32> -> a(tensor<3x24x8xf32>) b(tensor<3x8x40xf32>)
  return %0, %1 : tensor<3x24x8xf32>, tensor<3x8x40xf32>
}

// -----

// CHECK-LABEL: @merge
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%{{.*}}, %{{.*}} : tensor<40x8xf32>, tensor<8x24xf32>)
// CHECK: linalg.generic {{.*}}"parallel"]} ins(%{{.*}}, %{{.*}} : tensor<40x24xf32>, tensor<40x24xf32>)
// REMARK: remark: {{.*}}register blocks: panels made first, the op that follows is part of it
func.func @merge(%w: tensor<40x24xf32>, %a: tensor<8x24xf32>, %b: tensor<40x8xf32>) -> tensor<40x24xf32> {
  %0 = attn.lora_merge %w, %a, %b scale 2.0 transposed : tensor<40x24xf32>, tensor<8x24xf32>, tensor<40x8xf32>
  return %0 : tensor<40x24xf32>
}

// -----

// Sizes that do not fit are found at run time.
// CHECK-LABEL: @dynamic
// CHECK-DAG: "attn: dimension 1 of x must equal dimension 0 of weight"
// CHECK-DAG: "attn: dimension 0 of a must equal dimension 0 of weight"
// CHECK-DAG: "attn: dimension 1 of b must equal dimension 1 of weight"
// CHECK-DAG: "attn: dimension 1 of a must equal dimension 0 of b"
// REMARK: remark: {{.*}}register blocks: panels made first, the op that follows is part of it
// REMARK: remark: {{.*}}register blocks: panels made first, a second product is added to it, the op that follows is part of it
// CHECK-DAG: "attn: dimension 0 of bias must equal dimension 1 of weight"
func.func @dynamic(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>, %a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %bias: tensor<?xf32>) -> tensor<?x?xf32> {
  %0 = attn.lora_linear %x, %w, %a, %b bias(%bias : tensor<?xf32>) scale 2.0 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
