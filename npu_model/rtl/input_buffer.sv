// The input buffer: K_MAX banks of T_P words a row, written and read by rows of tiles, and what each PE works on.
//
// Row r of a tile is rows k r .. k r + k - 1 of its place, and row n of a place is in bank n mod K_MAX: one cycle
// writes or reads all of row r, whatever k is. Each word of a bank is a memory of its own, which is enabled for
// words of the layer alone, not for what lies beyond its edge.
module input_buffer #(
    parameter int unsigned T_P = 8,
    parameter int unsigned K_MAX = 4,
    parameter int unsigned WORD = 16,
    parameter int unsigned PLACES = 2,         // tiles
    parameter int unsigned ROWS_PER_BANK = 4,  // of a place
    parameter int unsigned CW = 16
) (
    input  logic                      clk,
    input  logic [1:0]                k_log2,
    input  logic                      write,
    input  logic [CW-1:0]             write_place,
    input  logic [CW-1:0]             write_row,
    input  logic [CW-1:0]             write_words,
    input  logic [K_MAX*T_P*WORD-1:0] write_data,
    input  logic                      read,
    input  logic [CW-1:0]             read_place,
    input  logic [CW-1:0]             read_row,
    input  logic [CW-1:0]             read_words,
    // A cycle after `read`: words m T_P to (m + 1) T_P - 1 are the slice of the row for PEs n of n mod K_MAX = m.
    output logic [K_MAX*T_P*WORD-1:0] slices,
    output logic [K_MAX*T_P-1:0]      slice_words,  // which of them are of the layer, after the last read
    output logic [K_MAX*T_P-1:0]      writes,       // memories enabled in this cycle
    output logic [K_MAX*T_P-1:0]      reads
);
  localparam int unsigned LANES = K_MAX * T_P;
  localparam int unsigned STACKING = $clog2(K_MAX);
  localparam int unsigned DEPTH = PLACES * ROWS_PER_BANK;
  localparam int unsigned ADDRESS = DEPTH > 1 ? $clog2(DEPTH) : 1;

  logic [CW-1:0] k_mask, write_line, read_line, write_bank, read_bank, read_bank_1;
  logic [ADDRESS-1:0] write_address, read_address;
  assign k_mask        = ((CW'(1) << k_log2) - 1'b1) & CW'(K_MAX - 1);
  assign write_line    = write_row << k_log2;
  assign read_line     = read_row << k_log2;
  assign write_bank    = write_line & CW'(K_MAX - 1);
  assign read_bank     = read_line & CW'(K_MAX - 1);
  assign write_address = ADDRESS'(write_place * CW'(ROWS_PER_BANK) + (write_line >> STACKING));
  assign read_address  = ADDRESS'(read_place * CW'(ROWS_PER_BANK) + (read_line >> STACKING));

  // Words of the row, slice by slice, that are of the layer.
  logic [LANES-1:0] written, wanted, wanted_1;
  for (genvar j = 0; j < LANES; j++) begin : g_lane
    assign written[j] = write && write_words > CW'(j);
    assign wanted[j]  = read_words > CW'(j);
  end
  always_ff @(posedge clk) begin
    if (read) begin
      read_bank_1 <= read_bank;
      wanted_1    <= wanted;
    end
  end

  logic [LANES*WORD-1:0] bank_data;
  for (genvar b = 0; b < K_MAX; b++) begin : g_bank
    logic [CW-1:0] write_slice, read_slice;  // of the row, that this bank takes and gives
    logic [T_P*WORD-1:0] bank_in;
    logic [T_P-1:0] bank_writes, bank_reads;
    assign write_slice = (CW'(b) - write_bank) & CW'(K_MAX - 1);
    assign read_slice  = (CW'(b) - read_bank) & CW'(K_MAX - 1);
    always_comb begin
      bank_in     = write_data[T_P*WORD-1:0];
      bank_writes = written[T_P-1:0];
      bank_reads  = wanted[T_P-1:0];
      for (int unsigned s = 1; s < K_MAX; s++) begin
        if (write_slice == CW'(s)) bank_in = write_data[s*T_P*WORD+:T_P*WORD];
        if (write_slice == CW'(s)) bank_writes = written[s*T_P+:T_P];
        if (read_slice == CW'(s)) bank_reads = wanted[s*T_P+:T_P];
      end
    end
    assign writes[b*T_P+:T_P] = bank_writes;
    assign reads[b*T_P+:T_P]  = bank_reads & {T_P{read}};
    for (genvar i = 0; i < T_P; i++) begin : g_word
      logic [WORD-1:0] words[0:DEPTH-1];
      always_ff @(posedge clk) begin
        if (writes[b*T_P+i]) words[write_address] <= bank_in[i*WORD+:WORD];
        if (reads[b*T_P+i]) bank_data[(b*T_P+i)*WORD+:WORD] <= words[read_address];
      end
    end
  end

  for (genvar m = 0; m < K_MAX; m++) begin : g_slice
    logic [CW-1:0] slice, bank;
    assign slice = CW'(m) & k_mask;
    assign bank  = (read_bank_1 + slice) & CW'(K_MAX - 1);
    always_comb begin
      slices[m*T_P*WORD+:T_P*WORD] = bank_data[T_P*WORD-1:0];
      slice_words[m*T_P+:T_P]      = wanted_1[T_P-1:0];
      for (int unsigned b = 1; b < K_MAX; b++) begin
        if (bank == CW'(b)) slices[m*T_P*WORD+:T_P*WORD] = bank_data[b*T_P*WORD+:T_P*WORD];
        if (slice == CW'(b)) slice_words[m*T_P+:T_P] = wanted_1[b*T_P+:T_P];
      end
    end
  end
endmodule
