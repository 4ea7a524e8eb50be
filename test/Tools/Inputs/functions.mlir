func.func @scale(%a: tensor<?x4xf32>, %n: i32) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %s = arith.sitofp %n : i32 to f32
  %rows = tensor.dim %a, %c0 : tensor<?x4xf32>
  %empty = tensor.empty(%rows) : tensor<?x4xf32>
  %r = linalg.map ins(%a : tensor<?x4xf32>) outs(%empty : tensor<?x4xf32>) (%x: f32, %y: f32) {
    %m = arith.mulf %x, %s : f32
    linalg.yield %m : f32
  }
  return %r : tensor<?x4xf32>
}

func.func @identity(%a: tensor<?x4xf32>) -> tensor<?x4xf32> {
  return %a : tensor<?x4xf32>
}

func.func @several(%a: tensor<2xf32>, %b: tensor<3xi8>, %s: i32, %h: f16)
    -> (tensor<2xf32>, i8, tensor<2xf32>, f16, tensor<3xi8>, i32) {
  %c1 = arith.constant 1 : index
  %x = tensor.extract %b[%c1] : tensor<3xi8>
  %empty = tensor.empty() : tensor<2xf32>
  %r = linalg.add ins(%a, %a : tensor<2xf32>, tensor<2xf32>) outs(%empty : tensor<2xf32>) -> tensor<2xf32>
  return %r, %x, %r, %h, %b, %s : tensor<2xf32>, i8, tensor<2xf32>, f16, tensor<3xi8>, i32
}

func.func @bools(%a: tensor<4xi1>, %b: i1) -> (tensor<4xi1>, i1) {
  %true = arith.constant true
  %not = arith.xori %b, %true : i1
  return %a, %not : tensor<4xi1>, i1
}

func.func @constant() -> tensor<3xf64> {
  %c = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf64>
  return %c : tensor<3xf64>
}

func.func @nothing(%a: tensor<2xf32>) {
  return
}

func.func @overwrite(%a: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %r = linalg.fill ins(%zero : f32) outs(%a : tensor<4xf32>) -> tensor<4xf32>
  return %r, %a : tensor<4xf32>, tensor<4xf32>
}

func.func @memrefs(%a: memref<?xf32>, %b: memref<?xf32>) -> memref<?xf32> {
  linalg.copy ins(%a : memref<?xf32>) outs(%b : memref<?xf32>)
  return %a : memref<?xf32>
}

func.func @halves(%a: tensor<2xbf16>) -> tensor<2xbf16> {
  return %a : tensor<2xbf16>
}

func.func @complex(%a: tensor<2xcomplex<f32>>) -> tensor<2xcomplex<f32>> {
  return %a : tensor<2xcomplex<f32>>
}

func.func private @declared(%a: tensor<2xf32>)

func.func @undefined(%a: tensor<2xf32>) {
  call @declared(%a) : (tensor<2xf32>) -> ()
  return
}

func.func @grouped(%q: tensor<?x?x16xf32>, %k: tensor<?x?x16xf32>, %v: tensor<?x?x16xf32>, %w: tensor<?x?xf32>)
    -> tensor<?x?x16xf32> {
  %o = attn.attention %q, %k, %v key_weights(%w : tensor<?x?xf32>) scale 0.25
     : tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x?x16xf32> -> tensor<?x?x16xf32>
  return %o : tensor<?x?x16xf32>
}

func.func @sum(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %a, %c0 : tensor<?xf32>
  %empty = tensor.empty(%n) : tensor<?xf32>
  %r = linalg.add ins(%a, %b : tensor<?xf32>, tensor<?xf32>) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}
