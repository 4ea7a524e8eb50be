// Rows of a table, as torch-mlir looks them up; and assertions elsewhere.
#row = affine_map<(d0, d1) -> (d0)>
#element = affine_map<(d0, d1) -> (d0, d1)>
#id = affine_map<(d0) -> (d0)>

func.func @lookup(%table: tensor<10x3xf32>, %rows: tensor<4xi64>) -> tensor<4x3xf32> {
  %c10 = arith.constant 10 : index
  %c0 = arith.constant 0 : i64
  %empty = tensor.empty() : tensor<4x3xf32>
  %0 = linalg.generic {indexing_maps = [#row, #element], iterator_types = ["parallel", "parallel"]}
      ins(%rows : tensor<4xi64>) outs(%empty : tensor<4x3xf32>) {
  ^bb0(%row: i64, %out: f32):
    %i = arith.index_cast %row : i64 to index
    %j = linalg.index 1 : index
    %below = arith.cmpi slt, %i, %c10 : index
    cf.assert %below, "row beyond the table"
    %positive = arith.cmpi sge, %row, %c0 : i64
    cf.assert %positive, "row before the table"
    %x = tensor.extract %table[%i, %j] : tensor<10x3xf32>
    linalg.yield %x : f32
  } -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// The second index comes from a table that the first one may miss.
func.func @chain(%rows: tensor<4xi64>, %next: tensor<5xi64>, %values: tensor<?xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %size = tensor.dim %values, %c0 : tensor<?xf32>
  %empty = tensor.empty() : tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%rows : tensor<4xi64>) outs(%empty : tensor<4xf32>) {
  ^bb0(%row: i64, %out: f32):
    %i = arith.index_cast %row : i64 to index
    %first = arith.cmpi ult, %i, %c5 : index
    cf.assert %first, "first index"
    %j = tensor.extract %next[%i] : tensor<5xi64>
    %k = arith.index_cast %j : i64 to index
    %second = arith.cmpi ult, %k, %size : index
    cf.assert %second, "second index"
    %x = tensor.extract %values[%k] : tensor<?xf32>
    linalg.yield %x : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Depends on no element, only on where the loop is.
func.func @loops(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %size = tensor.dim %x, %c0 : tensor<?x2xf32>
  %empty = tensor.empty(%size) : tensor<?x2xf32>
  %0 = linalg.generic {indexing_maps = [#element, #element], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x2xf32>) outs(%empty : tensor<?x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %i = linalg.index 0 : index
    %below = arith.cmpi ult, %i, %c3 : index
    cf.assert %below, "more than 3 rows"
    linalg.yield %in : f32
  } -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// In the function itself, and under a condition.
func.func @plain(%x: tensor<?xf32>, %strict: i1) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %size = tensor.dim %x, %c0 : tensor<?xf32>
  %some = arith.cmpi ne, %size, %c0 : index
  cf.assert %some, "no elements"
  scf.if %strict {
    %two = arith.cmpi eq, %size, %c2 : index
    cf.assert %two, "not two elements"
  }
  return %x : tensor<?xf32>
}
