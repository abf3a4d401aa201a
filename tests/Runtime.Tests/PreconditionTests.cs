using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.Runtime.Tests;

/// <summary>Parsing and matching of <c>If-Match</c> and <c>If-None-Match</c>.</summary>
public class PreconditionTests
{
    static Precondition? Read(string? ifMatch, string? ifNoneMatch = null)
    {
        var http = new DefaultHttpContext();
        if (ifNoneMatch is not null) http.Request.Headers.IfNoneMatch = ifNoneMatch;
        if (ifMatch is not null) http.Request.Headers.IfMatch = ifMatch;
        return Precondition.Read(http);
    }

    [Theory]
    [InlineData("*", null, true)]
    [InlineData("*", 7L, false)]
    [InlineData("\"7\"", 7L, false)]
    [InlineData("W/\"7\"", 7L, false)]
    [InlineData("\"6\"", 7L, true)]
    [InlineData("\"7\"", null, true)]
    public void If_None_Match_holds_for_versions_that_are_not_listed(string ifNoneMatch, long? version, bool holds) =>
        Assert.Equal(holds, Read(null, ifNoneMatch)!.Holds(version));

    [Fact]
    public void Both_headers_have_to_hold() => Assert.False(Read("\"7\"", "\"7\"")!.Holds(7));

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
