using Microsoft.Extensions.Configuration;
using Orderwright.OrderService;
using Orderwright.Runtime;

namespace Orderwright.Rules.Tests;

/// <summary>Capture policy per merchant.</summary>
public class CaptureSettingsTests
{
    static CaptureSettings Read(string? all, string? merchants = null) => CaptureSettings.Read(
        new ConfigurationBuilder().AddInMemoryCollection(
            [new("Capture", all), new("CaptureMerchants", merchants)]).Build());

    [Fact]
    public void Capture_is_on_confirmation_unless_configured_otherwise()
    {
        Assert.False(Read(null).IsOnFulfilment("main"));
        Assert.True(Read("fulfilment").IsOnFulfilment("main"));
        var mixed = Read("confirmation", "acme=fulfilment, beta=confirmation");
        Assert.Equal(
            (true, false, false), (mixed.IsOnFulfilment("acme"), mixed.IsOnFulfilment("beta"), mixed.IsOnFulfilment("main")));
        Assert.False(Read("fulfilment", "beta=confirmation").IsOnFulfilment("beta"));
    }

    [Theory]
    [InlineData("later", null, "ORDERWRIGHT_CAPTURE")]
    [InlineData(null, "acme", "ORDERWRIGHT_CAPTURE_MERCHANTS")]
    [InlineData(null, "acme=later", "ORDERWRIGHT_CAPTURE_MERCHANTS")]
    [InlineData(null, "=fulfilment", "ORDERWRIGHT_CAPTURE_MERCHANTS")]
    [InlineData(null, "acme=fulfilment,acme=confirmation", "ORDERWRIGHT_CAPTURE_MERCHANTS")]
    public void An_invalid_setting_is_refused_at_start_with_its_name(string? all, string? merchants, string name) =>
        Assert.StartsWith(
            name, Assert.Throws<InvalidSettingException>(() => Read(all, merchants)).Message, StringComparison.Ordinal);
}
