using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Verification;

namespace Orderwright.Rules.Tests;

/// <summary>Lines stand in the tables as arrays; rows from before that name what they say, and are read as the same.</summary>
public class StoredLinesTests
{
    const string Brief = """[[1,"A \"quoted\"",2,148],[7,"B",1]]""";
    const string Named = """[{"line":1,"sku":"A \"quoted\"","quantity":2,"unitPrice":148},{"line":7,"sku":"B","quantity":1}]""";

    static readonly OrderLine[] Lines = [new(1, "A \"quoted\"", 2, 148), new(7, "B", 1, null)];

    [Fact]
    public void Lines_are_written_as_arrays() => Assert.Equal(Brief, OrderLinesJson.Write(Lines));

    [Fact]
    public void Lines_are_read_back() => Assert.Equal(Lines, OrderLinesJson.Read(Brief));

    [Theory]
    [InlineData("{}")]
    [InlineData("""[["A",2]]""")]
    [InlineData("""[[1,"A"]]""")]
    [InlineData("""[[1,"A",2,148,9]]""")]
    [InlineData("""[{"line":1,"sku":"A"}]""")]
    public void Anything_but_lines_is_refused(string stored) =>
        Assert.Throws<JsonException>(() => OrderLinesJson.Read(stored));

    [Fact]
    public void Verification_reads_the_same_lines()
    {
        Assert.Null(StoredLines.Total(Brief, 0));
        Assert.Equal(300, StoredLines.Total("""[[1,"A",2,148],[2,"A",1,5]]""", -1));
        Assert.Equal(new() { ["A \"quoted\""] = 2, ["B"] = 1 }, StoredLines.Quantities(Brief));
        Assert.Equal(new() { [1] = 2, [7] = 1 }, StoredLines.QuantitiesByLine([Brief]));
        Assert.True(StoredLines.SameQuantities("""[[7,"B",1],[1,"A \"quoted\"",2]]""", Brief));
    }
}
