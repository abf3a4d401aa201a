using Microsoft.Extensions.Configuration;
using Orderwright.OrderService;
using Orderwright.Runtime;

namespace Orderwright.Rules.Tests;

/// <summary>Capture policy per channel.</summary>
public class CaptureSettingsTests
{
    static CaptureSettings Read(string? all, string? channels = null, string? merchants = null) => CaptureSettings.Read(
        new ConfigurationBuilder().AddInMemoryCollection(
            [new("Capture", all), new("CaptureChannels", channels), new("CaptureMerchants", merchants)]).Build());

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

    [Fact]
    public void The_former_name_of_the_overrides_is_still_read()
    {
        Assert.True(Read(null, merchants: "acme=fulfilment").IsOnFulfilment("acme"));
        Assert.Contains(
            "ORDERWRIGHT_CAPTURE_CHANNELS",
            Assert.Throws<InvalidSettingException>(() => Read(null, "acme=fulfilment", "acme=fulfilment")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("later", null, "ORDERWRIGHT_CAPTURE")]
    [InlineData(null, "acme", "ORDERWRIGHT_CAPTURE_CHANNELS")]
    [InlineData(null, "acme=later", "ORDERWRIGHT_CAPTURE_CHANNELS")]
    [InlineData(null, "=fulfilment", "ORDERWRIGHT_CAPTURE_CHANNELS")]
    [InlineData(null, "acme=fulfilment,acme=confirmation", "ORDERWRIGHT_CAPTURE_CHANNELS")]
    public void An_invalid_setting_is_refused_at_start_with_its_name(string? all, string? channels, string name) =>
        Assert.StartsWith(
            name, Assert.Throws<InvalidSettingException>(() => Read(all, channels)).Message, StringComparison.Ordinal);
}
