using System.Text;
using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.OrderService;

namespace Orderwright.Rules.Tests;

/// <summary>Text and times from callers: one form for what looks alike, and nothing that nobody sees.</summary>
public class PlainTextTests
{
    static OrderRequest? Read(string reference, out string? code)
    {
        var json = JsonSerializer.Serialize(new
        {
            customerId = "ada", currency = "GBP", reference, lines = new[] { new { sku = "MUG", quantity = 1 } },
        });
        var (request, errors) = StrictJson.Parse(Encoding.UTF8.GetBytes(json), OrderJson.Default.OrderRequest);
        code = errors.Count > 0 ? errors[0].Code : null;
        return request;
    }

    [Theory]
    [InlineData("R1 ", "R1")]
    [InlineData("\u00A0R1\t", "R1")]
    [InlineData("Jose\u0301", "Jos\u00E9")]
    [InlineData("\u1100\u1161\u11A8", "\uAC01")]             // Hangul
    [InlineData("\u212B", "\u00C5")]                          // the sign of the ångström
    [InlineData("a\u0323\u0307", "\u1EA1\u0307")]             // two marks, in canonical order
    [InlineData("a\u0307\u0323", "\u1EA1\u0307")]
    [InlineData("\u0928\u093C", "\u0929")]                    // composes
    [InlineData("\u0958", "\u0915\u093C")]                    // excluded from composition
    [InlineData("\uD834\uDD5E", "\uD834\uDD57\uD834\uDD65")]  // outside the basic plane, excluded
    [InlineData("Größe 42", "Größe 42")]
    [InlineData("日本語", "日本語")]
    public void Text_that_looks_alike_is_read_as_the_same_text(string sent, string read)
    {
        Assert.Equal(read, Read(sent, out _)!.Reference);
        Assert.Equal(read, PlainText.Of(read));
    }

    [Theory]
    [InlineData("R\u200B1")]
    [InlineData("R1\uFEFF")]
    [InlineData("R\u00AD1")]
    [InlineData("R\u202E1")]
    [InlineData("R\u2066 1")]
    [InlineData("R\u0007")]
    [InlineData("R\u007F1")]
    [InlineData("R\u0085 1")]
    [InlineData("R\u0000")]
    [InlineData("R\u034F1")]
    [InlineData("R\u3164")]
    [InlineData("R\uDB40\uDC41")]
    public void A_character_that_nobody_sees_is_refused(string sent)
    {
        Assert.Null(Read(sent, out var code));
        Assert.Equal("invalid_text", code);
    }

    [Theory]
    [InlineData("می\u200Cخواهم")]
    [InlineData("👨\u200D👩\u200D👧")]
    [InlineData("क्\u200Dष")]
    public void Joiners_belong_to_words_and_not_to_references(string text)
    {
        Assert.False(PlainText.HasForbidden(text));
        Assert.Null(new Check().Text("/note", text, 100).Refusal);
        Assert.NotNull(new Check().OptionalReference("/reference", text, 100).Refusal);
        Assert.True(PlainText.HasForbidden($"{text[..1]}\u200D\u200D{text[1..]}"));
        Assert.True(PlainText.HasForbidden($"{text} \u200C"));
    }

    [Theory]
    [InlineData("R\u00A01")]
    [InlineData("R\n1")]
    [InlineData("R\t1")]
    [InlineData("R\u20281")]
    public void A_reference_has_no_other_white_space_than_spaces(string text) =>
        Assert.Contains(
            "invalid_text", Encoding.UTF8.GetString(new Check().OptionalReference("/r", text, 64).Refusal!.Body.Span),
            StringComparison.Ordinal);

    [Fact]
    public void Lengths_count_code_points()
    {
        var carts = string.Concat(Enumerable.Repeat("🛒", 64));
        Assert.Equal(64, PlainText.LengthOf(carts));
        Assert.Null(new Check().Text("/r", carts, 64).Refusal);
        Assert.NotNull(new Check().Text("/r", carts + "x", 64).Refusal);
        // 64 decomposed letters are 64 characters once composed.
        Assert.Equal(64, Read(string.Concat(Enumerable.Repeat("e\u0301", 64)), out _)!.Reference!.Length);
    }

    [Fact]
    public void Names_in_a_body_are_compared_in_the_stored_form_too()
    {
        const string Twice = """
            {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG","quantity":1}],"metadata":{"é":"1","e\u0301":"2"}}
            """;
        var (request, errors) = StrictJson.Parse(Encoding.UTF8.GetBytes(Twice), OrderJson.Default.OrderRequest);
        Assert.Null(request);
        Assert.Equal("duplicate_property", errors[0].Code);
    }

    [Fact]
    public void A_name_with_a_space_at_an_end_is_an_unknown_property()
    {
        const string Spaced = """{"customerId":"ada","currency":"GBP","lines":[{"sku ":"MUG","quantity":1}]}""";
        var (request, errors) = StrictJson.Parse(Encoding.UTF8.GetBytes(Spaced), OrderJson.Default.OrderRequest);
        Assert.Null(request);
        Assert.Contains(errors, error => error.Code == "unknown_property");
    }

    [Fact]
    public void Numbers_and_nesting_survive_the_rewriting_of_a_text()
    {
        const string Json = """
            {"customerId":" ada ","currency":"GBP","lines":[{"sku":"MUG","quantity":2,"unitPrice":1000000000000}],
             "adjustments":[{"type":"discount","label":"  Welcome\t","amount":-5}],"metadata":{"gift":"To\nEve "},"payment":null}
            """;
        var (request, errors) = StrictJson.Parse(Encoding.UTF8.GetBytes(Json), OrderJson.Default.OrderRequest);
        Assert.Empty(errors);
        Assert.Equal(("ada", 1_000_000_000_000), (request!.CustomerId, request.Lines[0].UnitPrice!.Value));
        Assert.Equal(new Adjustment("discount", "Welcome", -5), request.Adjustments![0]);
        Assert.Equal("To\nEve", request.Metadata!["gift"]);
    }

    [Theory]
    [InlineData("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.0000000+00:00")]
    [InlineData("2026-01-31T09:30:00.5Z", "2026-01-31T09:30:00.5000000+00:00")]
    [InlineData("2026-01-31t09:30:00z", "2026-01-31T09:30:00.0000000+00:00")]
    [InlineData("2026-01-31T09:30:00.123456789+05:30", "2026-01-31T04:00:00.1234567+00:00")]
    [InlineData("2026-01-31T00:30:00-23:59", "2026-01-31T00:30:00-23:59")]
    public void A_time_of_rfc_3339_is_read(string text, string time)
    {
        if (!Rfc3339.TryRead(text, out var read))
            // The platform's offsets end at 14 hours.
            Assert.EndsWith("-23:59", text, StringComparison.Ordinal);
        else
            Assert.Equal(time, read.ToString("O"));
    }

    [Theory]
    [InlineData("03/04/2026")]
    [InlineData("12:00")]
    [InlineData("2026-01-31")]
    [InlineData("2026-01-31T09:30Z")]
    [InlineData("2026-01-31T09:30:00")]
    [InlineData("2026-01-31 09:30:00Z")]
    [InlineData("2026-01-31T09:30:00+0100")]
    [InlineData("2026-01-31T09:30:00.Z")]
    [InlineData("2026-02-30T09:30:00Z")]
    [InlineData("2026-01-31T24:00:00Z")]
    [InlineData("2026-01-31T09:30:60Z")]
    [InlineData("31 Jan 2026 09:30:00 GMT")]
    [InlineData("２026-01-31T09:30:00Z")]
    [InlineData(" 2026-01-31T09:30:00Z")]
    [InlineData("1769851800")]
    [InlineData("tomorrow")]
    [InlineData("")]
    public void Everything_else_is_no_time(string text)
    {
        Assert.False(Rfc3339.TryRead(text, out _));
        Assert.Throws<JsonException>(() =>
        {
            var reader = new Utf8JsonReader(JsonSerializer.SerializeToUtf8Bytes(text));
            reader.Read();
            reader.GetTime();
        });
    }
}
