using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.Runtime.Tests;

/// <summary>Parsing and matching of <c>If-Match</c>.</summary>
public class PreconditionTests
{
    static Precondition? Read(string? ifMatch)
    {
        var http = new DefaultHttpContext();
        if (ifMatch is not null) http.Request.Headers.IfMatch = ifMatch;
        return Precondition.Read(http);
    }

    [Fact]
    public void Without_a_header_there_is_no_precondition() => Assert.Null(Read(null));

    [Theory]
    [InlineData("\"7\"")]
    [InlineData("*")]
    [InlineData("\"6\", \"7\"")]
    [InlineData("\"6\",\"other\",\"7\"")]
    public void A_precondition_holds_for_a_listed_version(string ifMatch) => Assert.True(Read(ifMatch)!.Holds(7));

    [Theory]
    [InlineData("\"6\"")]
    [InlineData("W/\"7\"")]
    [InlineData("7")]
    [InlineData("\"7")]
    [InlineData("\"-7\"")]
    [InlineData("\"\"")]
    [InlineData("\"")]
    [InlineData("")]
    [InlineData("\"99999999999999999999\"")]
    public void It_does_not_hold_for_another_version_a_weak_tag_or_a_foreign_one(string ifMatch) =>
        Assert.False(Read(ifMatch)!.Holds(7));

    [Theory]
    [InlineData("*")]
    [InlineData("\"7\"")]
    public void A_precondition_never_holds_for_a_missing_resource(string ifMatch) => Assert.False(Read(ifMatch)!.Holds(null));
}
