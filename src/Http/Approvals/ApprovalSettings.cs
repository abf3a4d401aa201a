using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.Http.Approvals;

/// <summary>Settings of approvals by a second person.</summary>
public sealed class ApprovalSettings
{
    /// <summary>
    /// Amounts by currency, in minor units, above which a refund, a credit or a resolution waits for a second person, such as
    /// <c>GBP:10000,EUR:12000,*:10000</c>; <c>*</c> stands for all other currencies. Default: nothing waits.
    /// </summary>
    public string ApprovalAbove { get; set; } = "";

    /// <summary>Time after which a pending approval expires.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan ApprovalTime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Reads the settings. Throws <see cref="InvalidSettingException"/> for malformed amounts.</summary>
    public static (AmountLimits Above, TimeSpan Time) Read(IConfiguration configuration)
    {
        var settings = configuration.Bind<ApprovalSettings>();
        return (AmountLimits.Read("APPROVAL_ABOVE", settings.ApprovalAbove), settings.ApprovalTime);
    }
}
