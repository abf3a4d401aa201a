using System.IO.Compression;
using System.Text;
using Orderwright.Cli;
using Orderwright.Cli.Import;
using Orderwright.Contracts;

namespace Orderwright.Rules.Tests;

/// <summary>Reading of files: encodings, dialects, numbers, and unreadable lines with their reasons.</summary>
public class ImportFileTests
{
    const string Retail = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

    static SourceFile Read(byte[] bytes, IImportProfile? profile = null, CsvOptions? options = null) =>
        CsvFile.Read("file.csv", () => new MemoryStream(bytes), profile ?? new GeneralCsv("EUR"), options);

    static SourceFile Read(string text, IImportProfile? profile = null, CsvOptions? options = null) =>
        Read(Encoding.UTF8.GetBytes(text), profile, options);

    static SourceFile Sound(string text, IImportProfile? profile = null, CsvOptions? options = null)
    {
        var file = Read(text, profile, options);
        Assert.Empty(file.Bad);
        return file;
    }

    static ToolException Refused(byte[] bytes, CsvOptions? options = null) =>
        Assert.Throws<ToolException>(() => Read(bytes, null, options));

    static ImportPlan Plan(SourceFile file, string currency = "EUR") =>
        new GeneralCsv(currency).Plan(file, new Openings(Derive: false));

    static PlaceOrder[] Orders(ImportPlan plan) => [.. plan.Operations.Cast<PlaceOrder>()];

    [Fact]
    public void A_gzipped_file_is_the_same_import_as_the_plain_one()
    {
        var text = Encoding.UTF8.GetBytes(
            $"{Retail}\n536365,85123A,\"MUG, \"\"white\"\"\",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n");
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(text);

        var plain = Read(text, new OnlineRetail());
        var gzipped = Read(packed.ToArray(), new OnlineRetail());

        Assert.Equal(plain.Id, gzipped.Id);
        Assert.Equal(plain.Lines, gzipped.Lines);
        Assert.Equal(
            new SourceLine(
                2, "536365", "17850", "85123A", "MUG, \"white\"", 6, 2.55m, "GBP", "", "2010-12-01 08:26:00", "United Kingdom"),
            Assert.Single(plain.Lines));
    }

    [Theory]
    [InlineData("order,customer,sku,quantity\nA1,ada,MUG,1\n")]
    [InlineData("order,customer,sku,quantity\r\nA1,ada,MUG,1\r\n")]
    [InlineData("\ufefforder,customer,sku,quantity\nA1,ada,MUG,1")]
    public void An_import_that_0_1_0_began_keeps_its_id(string text) => Assert.Equal("46a3852961a4", Sound(text).Id);

    [Fact]
    public void Unreadable_lines_are_reported_by_number_with_every_reason()
    {
        var file = Read(
            """
            order,customer,sku,quantity,unit_price
            1,A,MUG,six,2.55

            1,,MUG,0,-1
            2,B,MUG,1
            3,C,"MUG"x,1,2.55
            3,C,M"UG,1,2.55
            4,D,MUG,1,2.55
            """);

        Assert.Equal([2, 4, 5, 6, 7], file.Bad.Select(bad => bad.Number));
        Assert.Equal("quantity is six: not a number", file.Bad[0].Why);
        Assert.Equal(
            "customer is missing: --fill-down takes the value from the order's first line; unit_price is -1: not a number",
            file.Bad[1].Why);
        Assert.Equal("4 fields instead of 5 as in the heading", file.Bad[2].Why);
        Assert.Equal("text after the closing quote of field 3", file.Bad[3].Why);
        Assert.Equal("quote within field 3, which does not begin with a quote", file.Bad[4].Why);
        Assert.Equal(8, Assert.Single(file.Lines).Number);
        Assert.Equal(6, file.TotalLines);
    }

    [Fact]
    public void A_quoted_line_break_belongs_to_its_field()
    {
        var file = Sound("order,customer,sku,quantity,note\nB1,ada,MUG,1,\"ring\nX1,bob,TEE,50,\nthanks\"\nB2,eve,CUP,1,\n");

        Assert.Equal([(2, "B1", "ada"), (5, "B2", "eve")], file.Lines.Select(line => (line.Number, line.Order, line.Customer)));
    }

    [Fact]
    public void A_quote_that_is_never_closed_refuses_the_file_from_its_line_on()
    {
        var file = Read(
            "order,customer,sku,quantity\r\nA1,ada,MUG,1\r\nA2,bob,CUP,1\r\nA3,eve,\"TEE,1\r\nA4,kim,CUP,1\r\nA1,ada,TEE,2\r\n");

        Assert.Equal([2, 3], file.Lines.Select(line => line.Number));
        var bad = Assert.Single(file.Bad);
        Assert.Equal("the quote that opens in line 4 is never closed: nothing from line 4 on is read", bad.Why);
        Assert.Equal("A3", bad.Order);
        // A1 continues in the unreadable part, and A2 might: the line above an unreadable one.
        Assert.Equal(["A1"], bad.Cells);
        Assert.Empty(Plan(file).Operations);
    }

    [Fact]
    public void Quoted_parts_of_a_malformed_record_do_not_begin_a_record()
    {
        var file = Read("order,customer,sku,quantity,note\nA1,ada,MUG,1,\"a\"b\"\nX1,bob,TEE,50,\n\"\nA2,eve,CUP,1,\n");

        Assert.Equal([2], file.Bad.Select(bad => bad.Number));
        Assert.Equal(["A2"], file.Lines.Select(line => line.Order));
    }

    [Fact]
    public void Fields_and_records_have_a_limit()
    {
        var longField = new string('x', CsvReader.MaxFieldLength + 1);
        var longRecord = string.Join(',', Enumerable.Repeat(new string('x', 1_000), 200));
        var manyFields = new string(',', CsvReader.MaxFields + 1) + "x";
        var file = Read($"order,customer,sku,quantity\n1,A,{longField},1\n{longRecord}\n{manyFields}\n2,B,MUG,1\n");

        Assert.Equal(
            ["field 3 exceeds 10000 characters", "the record exceeds 100000 characters", "more than 1000 fields"],
            file.Bad.Select(bad => bad.Why));
        Assert.Equal("2", Assert.Single(file.Lines).Order);
    }

    [Fact]
    public void Bytes_outside_the_encoding_refuse_the_file_by_line()
    {
        var text = Encoding.Latin1.GetBytes("order,customer,sku,quantity\nA1,ada,MUG,1\nA2,José,café,1\nA3,Josè,cafè,1\n");

        var error = Refused(text);
        Assert.Equal(Exit.Unreadable, error.Exit);
        Assert.Equal("file.csv, line 3: not utf-8. Pass --encoding, such as --encoding windows-1252.", error.Message);

        var file = Read(text, null, new CsvOptions("windows-1252"));
        Assert.Equal(["ada", "José", "Josè"], file.Lines.Select(line => line.Customer));
        Assert.Equal(["MUG", "café", "cafè"], file.Lines.Select(line => line.Sku));
    }

    [Fact]
    public void A_character_cut_off_at_the_end_is_refused() =>
        Assert.Contains(
            "line 2: not utf-8", Refused([.. "order,customer,sku,quantity\nA1,ada,MUG,1\u00e9"u8[..^1]]).Message,
            StringComparison.Ordinal);

    public static TheoryData<string> Marked => ["utf-8", "utf-16", "utf-16BE", "utf-32"];

    [Theory]
    [MemberData(nameof(Marked))]
    public void A_byte_order_mark_names_the_encoding(string name)
    {
        var encoding = Encoding.GetEncoding(name);
        byte[] bytes = [.. encoding.GetPreamble(), .. encoding.GetBytes("order,customer,sku,quantity\nA1,José,MUG,1\n")];

        Assert.Equal("José", Assert.Single(Read(bytes).Lines).Customer);
        Assert.Contains(
            $"mark of {name}. Leave out --encoding", Refused(bytes, new CsvOptions("windows-1252")).Message,
            StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_file_in_UTF_16_without_a_mark_is_named()
    {
        var bytes = Encoding.Unicode.GetBytes("order,customer,sku,quantity\nA1,ada,MUG,1\n");

        Assert.Contains("needs --encoding utf-16", Refused(bytes).Message, StringComparison.Ordinal);
        Assert.Single(Read(bytes, null, new CsvOptions("utf-16")).Lines);
    }

    [Fact]
    public void An_unknown_encoding_is_named() =>
        Assert.Equal(Exit.Usage, Refused("order"u8.ToArray(), new CsvOptions("latin-99")).Exit);

    [Theory]
    [InlineData("order;customer;sku;quantity\nA1;ada;MUG;1\n")]
    [InlineData("order\tcustomer\tsku\tquantity\nA1\tada\tMUG\t1\n")]
    [InlineData("order|customer|sku|quantity\nA1|ada|MUG|1\n")]
    [InlineData("sep=;\norder;customer;sku;quantity\nA1;ada;MUG;1\n")]
    [InlineData("\"sep=^\"\norder^customer^sku^quantity\nA1^ada^MUG^1\n")]
    [InlineData("sep=;;;;\r\norder;customer;sku;quantity\r\nA1;ada;MUG;1\r\n")]
    [InlineData("\n\r\n  \norder,customer,sku,quantity\n\nA1,ada,MUG,1\n,,,\n\n")]
    [InlineData("order,customer,sku,quantity,,\nA1,ada,MUG,1,,\n")]
    [InlineData("order,customer,sku,quantity,,\nA1,ada,MUG,1\n")]
    [InlineData("order,customer,sku,quantity\nA1,ada,MUG,1,,\n")]
    [InlineData("note,order,,customer,,sku,note,quantity\nx,A1,,ada,y,MUG,z,1\n")]
    [InlineData("Order,CUSTOMER, sku ,\"quantity\"\rA1,ada,MUG,1\r")]
    [InlineData("\"order\",\"customer\nof the order\",\"sku\",\"quantity\",customer\nA1,x,MUG,1,ada\n")]
    public void A_dialect_is_detected(string text)
    {
        var line = Assert.Single(Sound(text).Lines);
        Assert.Equal(("A1", "ada", "MUG", 1), (line.Order, line.Customer, line.Sku, line.Quantity));
    }

    [Fact]
    public void A_delimiter_that_is_not_detected_can_be_given()
    {
        const string Text = "order:customer:sku:quantity\nA1:ada:MUG:1\n";
        Assert.Contains(
            "lacks order, customer, sku, quantity", Refused(Encoding.UTF8.GetBytes(Text)).Message, StringComparison.Ordinal);
        Assert.Single(Sound(Text, null, new CsvOptions(Delimiter: ':')).Lines);
    }

    [Fact]
    public void Text_below_no_heading_is_refused() =>
        Assert.Equal(
            "5 fields instead of 4 as in the heading",
            Assert.Single(Read("order,customer,sku,quantity\nA1,ada,M,UG,1\n").Bad).Why);

    [Fact]
    public void Headings_are_mapped_to_columns()
    {
        const string Text = "Name,Email,Lineitem sku,Lineitem quantity,Lineitem price,order\n#1001,ada,MUG,2,2.50,7\n";
        var headings = new Dictionary<string, string>
        {
            ["order"] = "Name", ["customer"] = "email", ["sku"] = "Lineitem sku", ["quantity"] = "Lineitem quantity",
            ["unit_price"] = "Lineitem price",
        };

        var line = Assert.Single(Sound(Text, null, new CsvOptions(Headings: headings)).Lines);
        Assert.Equal(("#1001", "ada", "MUG", 2, 2.5m), (line.Order, line.Customer, line.Sku, line.Quantity, line.UnitPrice));
    }

    [Theory]
    [InlineData("order,sku,quantity\n", "line 1: the heading lacks customer")]
    [InlineData("\n\norder;sku;customer\n", "line 3: the heading lacks quantity")]
    [InlineData("order,customer,sku,quantity,SKU\n", "the column sku occurs twice")]
    [InlineData("", "is empty")]
    [InlineData("\n \n", "is empty")]
    [InlineData("order,\"customer,sku,quantity\n", "the heading is unreadable: the quote that opens in line 1 is never closed")]
    public void A_heading_without_the_columns_is_refused(string text, string message)
    {
        var error = Refused(Encoding.UTF8.GetBytes(text));
        Assert.Equal(Exit.Unreadable, error.Exit);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_general_file_needs_four_columns()
    {
        var plan = Plan(Sound("quantity,SKU,customer,order\n2,MUG,alice,1\n"));

        var order = Assert.Single(Orders(plan));
        Assert.Equal([new OrderLine(1, "MUG", 2, null)], order.OrderLines);
        Assert.Equal(("EUR", new PaymentMethod("balance", null)), (order.Currency, order.Payment));
        Assert.Equal(["sku:MUG", "customer:alice:EUR"], order.Alone);
        Assert.Empty(plan.Products);
    }

    [Theory]
    [InlineData("2.55", "GBP", 255L)]
    [InlineData("2,55", "GBP", 255L)]
    [InlineData("255", "JPY", 255L)]
    [InlineData("0.005", "KWD", 5L)]
    [InlineData("\"1,234.50\"", "GBP", 123_450L)]
    [InlineData("\"1.234,50\"", "GBP", 123_450L)]
    [InlineData("1 234.50", "GBP", 123_450L)]
    [InlineData("1'234'567", "GBP", 123_456_700L)]
    [InlineData("\"1,234,567\"", "GBP", 123_456_700L)]
    [InlineData(".5", "GBP", 50L)]
    [InlineData("2.5000", "GBP", 250L)]
    [InlineData("2.555", "GBP", null)]
    [InlineData("1.234", "GBP", null)]
    [InlineData("\"1,234\"", "GBP", null)]
    [InlineData("\"1,23,456.00\"", "GBP", null)]
    [InlineData("2.", "GBP", null)]
    [InlineData("2.5", "JPY", null)]
    [InlineData("-1", "GBP", null)]
    [InlineData("1e3", "GBP", null)]
    [InlineData("2.50 EUR", "GBP", null)]
    [InlineData("٢", "GBP", null)]
    [InlineData("99999999999999999999", "GBP", null)]
    public void A_price_has_one_reading_and_the_decimals_of_its_currency(string price, string currency, long? minor)
    {
        var delimiter = price.Contains(',', StringComparison.Ordinal) ? ';' : ',';
        var file = Read(
            "order,customer,sku,quantity,unit_price,currency\n".Replace(',', delimiter)
            + $"1,alice,MUG,1,".Replace(',', delimiter) + $"{price}{delimiter}{currency}\n");

        Assert.Equal(minor is null ? 1 : 0, file.Bad.Count);
        if (minor is not null) Assert.Equal(minor, Assert.Single(Orders(Plan(file))).OrderLines[0].UnitPrice);
    }

    [Theory]
    [InlineData(DecimalMark.Detect, "1,234", null, "unit_price is 1,234: 1234 or 1.234: pass --decimal point or --decimal comma")]
    [InlineData(DecimalMark.Point, "1,234", "1234", null)]
    [InlineData(DecimalMark.Comma, "2,50", "2.50", null)]
    [InlineData(DecimalMark.Comma, "1.234", "1234", null)]
    [InlineData(DecimalMark.Comma, "2.50", null, "unit_price is 2.50: not a number with a decimal comma")]
    [InlineData(DecimalMark.Point, "2,50", null, "unit_price is 2,50: not a number with a decimal point")]
    public void A_number_with_two_readings_needs_the_decimal_mark(DecimalMark mark, string text, string? value, string? why)
    {
        var file = Read($"order;customer;sku;quantity;unit_price\n1;ada;MUG;1;{text}\n", new GeneralCsv("EUR", mark));

        Assert.Equal(value, file.Lines.SingleOrDefault()?.UnitPrice?.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(why, file.Bad.SingleOrDefault()?.Why);
    }

    [Theory]
    [InlineData("2.55", "1,234", 1_234.0)]
    [InlineData("2,55", "1,234", 1.234)]
    [InlineData("2,55", "1.234", 1_234.0)]
    public void Numbers_with_one_reading_decide_for_the_others_of_the_file(string certain, string other, double value)
    {
        var file = Sound(
            $"order;customer;sku;quantity;unit_price;currency\n1;ada;MUG;1;{other};KWD\n1;ada;MUG;1;{certain};KWD\n");

        Assert.Equal((decimal)value, file.Lines[0].UnitPrice);
    }

    [Fact]
    public void Numbers_that_contradict_each_other_decide_nothing() =>
        Assert.Equal(
            [4],
            Read(
                "order;customer;sku;quantity;unit_price\n1;ada;MUG;1;2.55\n1;ada;MUG;1;2,55\n1;ada;MUG;1;1.234\n")
                .Bad.Select(bad => bad.Number));

    [Theory]
    [InlineData("1.0000", 1)]
    [InlineData("\"1,0\"", 1)]
    [InlineData("007", 7)]
    [InlineData("1.5", null)]
    [InlineData("1.000", null)]
    [InlineData("-1", null)]
    [InlineData("3000000000", null)]
    public void A_quantity_is_a_whole_number(string text, int? quantity)
    {
        var file = Read($"order,customer,sku,quantity\n1,ada,MUG,{text}\n");

        Assert.Equal(quantity, file.Lines.SingleOrDefault()?.Quantity);
    }

    [Fact]
    public void Columns_of_the_order_are_taken_from_its_first_line_on_request()
    {
        const string Text =
            "order,customer,sku,quantity,currency,payment\nA1,ada,MUG,1,GBP,tok_visa\nA1,,CUP,2,,\n,,TEE,3,,\n"
            + "A2,eve,MUG,1,,\nA1,,POT,1,,\n";

        var lines = Sound(Text, new GeneralCsv("EUR", fillDown: true)).Lines;
        Assert.Equal(
            [("A1", "ada", "GBP", "tok_visa"), ("A1", "ada", "GBP", "tok_visa"), ("A1", "ada", "GBP", "tok_visa"),
                ("A2", "eve", "EUR", ""), ("A1", "ada", "GBP", "tok_visa")],
            lines.Select(line => (line.Order, line.Customer, line.Currency, line.Payment)));

        Assert.Equal([3, 4, 6], Read(Text).Bad.Select(bad => bad.Number));
        Assert.Equal(["A2"], Orders(Plan(Read(Text))).Select(order => order.Reference));
    }

    [Fact]
    public void Nothing_is_filled_down_across_an_unreadable_line()
    {
        var file = Read(
            "order,customer,sku,quantity\nA1,ada,MUG,1\nA2,b\"b,CUP,2\n,,TEE,3\nA3,eve,MUG,1\n",
            new GeneralCsv("EUR", fillDown: true));

        Assert.Equal([3, 4], file.Bad.Select(bad => bad.Number));
        Assert.Equal("order is missing; customer is missing", file.Bad[1].Why);
        Assert.Equal(["A3"], Orders(Plan(file)).Select(order => order.Reference));
    }

    [Fact]
    public void A_token_pays_at_the_sandbox() =>
        Assert.Equal(
            new PaymentMethod("sandbox", "tok_visa"),
            Assert.Single(Orders(Plan(Sound("order,customer,sku,quantity,payment\n1,alice,MUG,1,tok_visa\n")))).Payment);
}
